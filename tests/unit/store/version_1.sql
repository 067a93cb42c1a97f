-- The metadata as version 1 of its schema wrote it: a run with two tasks, one of them done.
create table meta ( key text primary key, value any) strict, without rowid;
create table dag ( dag_id text primary key, file text, version text, paused integer not null, removed integer not null, pause_reason text not null, covered_until_us integer, last_logical_us integer, consecutive_failures integer not null, broken text) strict, without rowid;
create table run ( id integer primary key, dag_id text not null, run_id text not null, type text not null, state text not null, reason text not null, reason_text text, logical_us integer not null, interval_start_us integer, interval_end_us integer, run_after_us integer, queued_us integer, started_us integer, ended_us integer, conf text, version text, triggered_by text, backfill_id integer not null, note text, unique (dag_id, logical_us)) strict;
create index run_live on run (state) where state in ('queued', 'running');
create index run_backfill on run (backfill_id) where backfill_id <> 0;
create table task_instance ( run integer not null references run (id), task_id text not null, map_index integer not null, state text not null, reason text not null, reason_text text, try_number integer not null, max_tries integer not null, tries_total integer not null, lost_count integer not null, interrupted_count integer not null, generation integer not null, unsettled integer not null, unsettled_generation integer not null, attempt text, ready_us integer, queued_us integer, started_us integer, ended_us integer, retry_at_us integer, primary key (run, task_id, map_index)) strict, without rowid;
create table attempt ( id text primary key, run integer not null references run (id), task_id text not null, map_index integer not null, generation integer not null, try_number integer not null, number integer not null, state text not null, outcome text, version text, queued_us integer, started_us integer, ended_us integer, message text, sqlstate text, exit_code integer not null, place text, detail text, log text, xcom text) strict, without rowid;
create index attempt_task on attempt (run, task_id, map_index, number);
create index attempt_live on attempt (queued_us) where ended_us is null;
create table transition ( run integer not null, task_id text not null, map_index integer not null, at_us integer not null, from_state text not null, to_state text not null, reason text not null, reason_text text) strict;
create index transition_run on transition (run, task_id);
create table backfill ( id integer primary key, dag_id text not null, from_us integer not null, to_us integer not null, cursor_us integer, only text not null, reverse integer not null, max_active_runs integer not null, conf text, finished integer not null, created_count integer not null, requested_us integer, ended_us integer, requested_by text) strict;
create table request ( uuid text primary key, kind text not null, user text, dag_id text, request text, outcome text, status text not null, at_us integer not null) strict, without rowid;
create index request_at on request (at_us);
insert into meta values ('metadata_id', '11111111-1111-4111-8111-111111111111'), ('batch', 4),
  ('created_us', 1);
insert into run values (1, 'd', 'manual__x', 'manual', 'running', 'run_started', 'the run started',
  1000, 1000, 2000, 2000, 1, 2, null, '{}', 'v1', 'someone', 0, null);
insert into task_instance values
  (1, 'a', -1, 'success', 'succeeded', 'the attempt succeeded', 1, 1, 1, 0, 0, 0, 0, 0,
   '00000000-0000-4000-8000-000000000001', 1, 1, 1, 2, null),
  (1, 'b', -1, 'none', 'waiting_upstream', null, 0, 1, 0, 0, 0, 0, 0, 0, null, null, null, null,
   null, null);
pragma user_version = 1;
