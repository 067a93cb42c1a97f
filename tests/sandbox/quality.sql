-- The Geolife pipeline in plain SQL, all days at once: from the landing tables and the generator's
-- truth (table `truth`) to a forest trained on the labelled trajectories before 2007-05-01 and its
-- predictions for the unlabelled ones after. Leaves the table `scored` (label, estimated).

create table point as
select *, tdate + ttime as ts from geolife.geolife_trajectory_landing
 where abs(latitude) <= 90 and abs(longitude) <= 180;

create table label as
select row_number() over (order by uid, start_date, start_time) as n, uid, mode,
       start_date + start_time as start_ts, end_date + end_time as end_ts
  from geolife.geolife_label_landing where start_date = end_date;

create table grouped as
select p.*, coalesce('l_' || l.n, 'nl_' || p.uid || '_' || p.tdate || '_' || (row_number() over (
           partition by p.uid, p.tdate, l.n is null order by p.ts, p.latitude) - 1) / 20) as id,
       l.mode
  from point p left join label l on l.uid = p.uid and p.ts between l.start_ts and l.end_ts;

create table speed as
select * from (
    select id, uid, tdate, ts, mode, mode = 'walk' as label,
           st_distance(geography(st_makepoint(longitude, latitude)),
                       geography(st_makepoint(lead(longitude) over w, lead(latitude) over w)))
               / 1609.344 as distance_miles,
           extract(epoch from lead(ts) over w - ts)::float8 / 3600 as interval_hour
      from grouped window w as (partition by id order by ts, latitude)) s
 where interval_hour > 0
   and case when label then distance_miles / interval_hour <= 15
            else distance_miles / interval_hour <= 150 end
   and (label is not null or id in (select id from grouped group by id having count(*) >= 10));

create function features() returns table (id text, feature_name text, value float8)
language plpython3u as $$
import pandas
from tsfresh import extract_features
from tsfresh.feature_extraction import MinimalFCParameters
rows = plpy.execute("select id, extract(epoch from ts)::float8 as time, distance_miles,"
                    "       interval_hour, distance_miles / interval_hour as speed from speed")
frame = pandas.DataFrame.from_records([dict(row) for row in rows])
found = extract_features(frame, column_id="id", column_sort="time", n_jobs=0,
                         disable_progressbar=True, default_fc_parameters=MinimalFCParameters())
long = found.rename_axis("id").reset_index().melt(id_vars="id", var_name="feature_name")
return list(long.itertuples(index=False, name=None))
$$;

create table long as select * from features();
select madlib.pivot('long', 'wide', 'id', 'feature_name', 'value');
create table featured as
select w.*, s.label, s.tdate
  from wide w join (select id, bool_and(label) as label, min(tdate) as tdate
                      from speed group by id) s using (id);

create table known as select * from featured where label is not null and tdate < '2007-05-01';
create table unknown as select * from featured where label is null and tdate >= '2007-05-01';
select madlib.forest_train('known', 'model', 'id', 'label', '*', 'tdate', null, 20, 2, true, 1, 8,
                           3, 1, 10);
select madlib.forest_predict('model', 'unknown', 'predicted', 'response');

create table scored as
select id, walk as label, estimated_label as estimated
  from predicted
  join (select g.id, mode() within group (order by (t.mode = 'walk')) as walk
          from grouped g join truth t on t."user" = g.uid and g.ts between t.start and t."end"
         where g.mode is null group by g.id) a using (id);
