create table if not exists event (day date not null, kind text not null);
create table if not exists event_count (day date not null, kind text not null, n bigint not null);
