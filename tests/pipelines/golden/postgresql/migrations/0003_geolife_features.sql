create type geolife.ts_features as (
    id text,
    feature_name text,
    value double precision
);

-- The features of tsfresh's minimal set for every trajectory. An element of each array is a point;
-- a trajectory's points come in the order of time.
-- One process: a pool of workers forked by a server process can hang it for good.
-- Written for Python 2.7 and 3. A name is kept to 40 plain characters, so that its column
-- `value_avg_feature_name_<name>` fits into the 63 bytes of an identifier.
create function geolife.tsfresh_features(
    trajectory_id text[],
    distance_miles double precision[],
    interval_hour double precision[],
    speed double precision[]
) returns setof geolife.ts_features as $function$
import hashlib
import re

import numpy
import pandas
from tsfresh import extract_features
from tsfresh.feature_extraction import MinimalFCParameters

LONGEST_NAME = 40


def short_name(name):
    plain = re.sub('[^A-Za-z0-9_]', '_', name)
    if plain == name and len(name) <= LONGEST_NAME:
        return name
    digest = hashlib.md5(name.encode('utf-8')).hexdigest()[:8]
    return plain[:LONGEST_NAME - 9] + '_' + digest


points = pandas.DataFrame({
    'id': trajectory_id,
    'position': range(len(trajectory_id)),
    'distance_miles': distance_miles,
    'interval_hour': interval_hour,
    'speed': speed,
})
features = extract_features(
    points, column_id='id', column_sort='position',
    default_fc_parameters=MinimalFCParameters(),
    n_jobs=0, disable_progressbar=True)

rows = []
for name in features.columns:
    feature_name = short_name(name)
    for trajectory, value in features[name].items():
        number = float(value)
        rows.append((trajectory, feature_name, number if numpy.isfinite(number) else None))
return rows
$function$ language plpython3u volatile;

-- The columns of a table that hold features, in order, as a list for a statement; null: none.
create function geolife.feature_columns(of_table regclass) returns text as $function$
    select string_agg(quote_ident(attname::text), ', ' order by attname::text)
    from pg_catalog.pg_attribute
    where attrelid = $1
        and attnum > 0
        and not attisdropped
        and left(attname::text, 23) = 'value_avg_feature_name_'
$function$ language sql stable;

-- Gives every table of wide features the columns of from_table that it lacks. All of them get
-- them at once, so that a model never knows a feature that the rows to predict have no column for.
create function geolife.add_feature_columns(from_table regclass) returns void as $function$
declare
    missing record;
begin
    for missing in
        select wide.name as table_name, source.attname::text as column_name
        from (
            values ('geolife.ts_features_walk_pvt'::text),
                ('geolife.tsfresh_model_features'),
                ('geolife.tsfresh_predict_features')
        ) as wide (name)
        cross join pg_catalog.pg_attribute source
        where source.attrelid = from_table
            and source.attnum > 0
            and not source.attisdropped
            and left(source.attname::text, 23) = 'value_avg_feature_name_'
            and not exists (
                select 1
                from pg_catalog.pg_attribute existing
                where existing.attrelid = wide.name::regclass
                    and existing.attname = source.attname
                    and not existing.attisdropped
            )
        order by 1, 2
    loop
        execute 'alter table ' || missing.table_name
            || ' add column ' || quote_ident(missing.column_name) || ' double precision';
    end loop;
end
$function$ language plpgsql volatile;
