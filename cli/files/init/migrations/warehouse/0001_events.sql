-- `dag migrate` applies what is new here, once, in the order of the names.
create table event (
    day date not null,
    kind text not null
);

create table event_count (
    day date not null,
    kind text not null,
    n bigint not null
);
