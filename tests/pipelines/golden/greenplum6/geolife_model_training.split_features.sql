-- Splits the labelled trajectories before the day in two. They are copied in a given order first,
-- so that the same seed splits them in the same way.
drop table if exists
    geolife.features_walk_20070501_all,
    geolife.features_walk_20070501_train,
    geolife.features_walk_20070501_test;

create table geolife.features_walk_20070501_all as
select *
from geolife.tsfresh_model_features
where tdate < date '2007-05-01'
order by tdate, id
distributed by (id);

do $task$
declare
    trajectories bigint;
    labels bigint;
begin
    select count(*), count(distinct label) into trajectories, labels
    from geolife.features_walk_20070501_all;

    if trajectories < 50 or labels < 2 then
        raise warning 'too little to train on before 2007-05-01: % trajectories, % labels',
            trajectories, labels;
        return;
    end if;

    perform setseed(0.42);
    perform setseed(0.42) from gp_dist_random('gp_id');
    perform madlib.train_test_split(
        'geolife.features_walk_20070501_all',
        'geolife.features_walk_20070501',
        0.8,
        0.2,
        null,     -- grouping columns
        null,     -- target columns
        false,    -- with replacement
        true      -- separate output tables
    );
end
$task$;

drop table geolife.features_walk_20070501_all;
