-- What came of the Geolife days: points, features, predictions, and how many of the predictions are
-- right by the generator's truth. psql -v truth=FILE.csv -f geolife_report.sql
\set ON_ERROR_STOP on
\pset footer off
set client_min_messages = warning;
create temporary table truth ("user" text, "start" timestamp, "end" timestamp, mode text);
\set copy '\\copy truth from ' :'truth' ' with (format csv, header)'
:copy

-- A predicted trajectory is judged when all its points are of one trip.
create temporary table judged as
select tdate, id, estimated_label, bool_or(t.mode = 'walk') as walk
  from (select r.tdate, r.id, r.estimated_label, p.uid,
               min(p.ttimestamp) as first_ts, max(p.ttimestamp) as last_ts
          from geolife.walk_prediction_results r
          join geolife.geolife_trajectory_label_clean p
            on p.tdate = r.tdate and p.trajectory_id = r.id
         group by 1, 2, 3, 4) trip
  join truth t on t."user" = trip.uid and t."start" <= first_ts and last_ts <= t."end"
 group by 1, 2, 3;

create temporary view accuracy as
select tdate, count(*) as n, avg((estimated_label = walk)::int) as right_share,
       (avg((estimated_label = walk)::int) filter (where walk)
        + avg((estimated_label = walk)::int) filter (where not walk)) / 2 as balanced
  from judged group by grouping sets ((tdate), ());

select day, points, labelled, unlabelled, predictions,
       coalesce(to_char(100 * right_share, '990.0') || ' %', '') as "right"
  from (select tdate as day, count(*) as points from geolife.geolife_trajectory_clean
         group by 1) c
  left join (select tdate as day, count(*) as labelled from geolife.tsfresh_model_features
              group by 1) m using (day)
  left join (select tdate as day, count(*) as unlabelled from geolife.tsfresh_predict_features
              group by 1) u using (day)
  left join (select tdate as day, count(*) as predictions from geolife.walk_prediction_results
              group by 1) r using (day)
  left join accuracy on tdate = day
 order by day;

select version as "model of", place as "table", round((metrics ->> 'auc')::numeric, 3) as "AUC",
       in_service as "in service", reason, coalesce(scored, 0) as scored
  from models.registry
  left join (select model_version as version, count(*) as scored
               from geolife.walk_prediction_results group by 1) results using (version)
 where name = 'rf_walk' order by mdate;

select n as "judged predictions", round(right_share::numeric, 3) as accuracy,
       round(balanced::numeric, 3) as "balanced accuracy"
  from accuracy where tdate is null;
