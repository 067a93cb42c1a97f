-- The forms with fewer arguments. As in MADlib they are functions of their own, not defaults, so
-- that a call with a wrong number of arguments fails alike. Left-out arguments are passed as NULL,
-- which the full functions take as the usual value.

do $overloads$
declare
    family record;
    arity integer;
    count_full integer;
begin
    for family in
        select * from (values
            ('train_test_split', 3,
             array['text','text','float8','float8','text','text','boolean','boolean']),
            ('forest_train', 6,
             array['text','text','text','text','text','text','text','integer','integer','boolean',
                   'integer','integer','integer','integer','integer','text','boolean','float8']),
            ('forest_predict', 3, array['text','text','text','text']),
            ('pivot', 5,
             array['text','text','text','text','text','text','text','boolean','boolean','text']),
            ('area_under_roc', 4, array['text','text','text','text','text'])
        ) as v (name, least_count, types)
    loop
        count_full := array_length(family.types, 1);
        for arity in family.least_count .. count_full - 1 loop
            execute format(
                'create or replace function madlib.%I(%s) returns void language sql volatile as '
                '$$ select madlib.%I(%s) $$',
                family.name, array_to_string(family.types[1:arity], ', '), family.name,
                (select string_agg(case when i <= arity then '$' || i
                                        else 'null::' || family.types[i] end, ', ' order by i)
                   from generate_series(1, count_full) as i));
        end loop;
    end loop;
end
$overloads$;

-- MADlib's forest_train derives min_bucket from min_split when only that is given.
create or replace function madlib.forest_train(
    text, text, text, text, text, text, text, integer, integer, boolean, integer, integer, integer)
returns void language sql volatile as $$
    select madlib.forest_train($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13 / 3,
                               null::integer, null::text, null::boolean, null::float8)
$$;

-- pivot takes keep_null in the place of the first argument that is left out, too.
create or replace function madlib.pivot(text, text, text, text, text, boolean)
returns void language sql volatile as $$
    select madlib.pivot($1, $2, $3, $4, $5, null, null, $6, null, null)
$$;
create or replace function madlib.pivot(text, text, text, text, text, text, boolean)
returns void language sql volatile as $$
    select madlib.pivot($1, $2, $3, $4, $5, $6, null, $7, null, null)
$$;

-- `f()` and `f('usage')` return help.
do $help$
declare
    name text;
begin
    foreach name in array array['train_test_split', 'forest_train', 'forest_predict',
                                'get_var_importance', 'pivot', 'area_under_roc', 'confusion_matrix']
    loop
        execute format(
            'create or replace function madlib.%I(message text) returns text '
            'language plpython3u immutable as '
            '$$ from dag_madlib import usage; return usage.usage(%L, message) $$', name, name);
        execute format('create or replace function madlib.%I() returns text '
                       'language sql immutable as $$ select madlib.%I('''') $$', name, name);
    end loop;
end
$help$;
