-- The day's rows are replaced, so that the task can be run again.
delete from event_count where day = '{{ ds }}';

insert into event_count
select day, kind, count(*)
from event
where day = '{{ ds }}'
group by day, kind;
