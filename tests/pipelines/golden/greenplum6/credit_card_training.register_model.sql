-- The model's row in the registry, with what a page draws of it. It enters service if it is viable
-- (enough rows; recall and precision on untouched rows reach their thresholds) and its average
-- precision is not below that of the model in service on this date by more than the slack.
drop table if exists credit_card.tested_20131001;

create table credit_card.tested_20131001 (
    id bigint,
    probability double precision,
    observed integer,
    observed_class text,
    predicted_class text
)
distributed by (id);

copy credit_card.tested_20131001 from stdin csv header;

delete from models.evaluation
where name = 'credit_card'
    and version = '2013-10-01';
delete from models.registry
where name = 'credit_card'
    and version = '2013-10-01';

insert into models.registry
    (name, version, mdate, kind, place, metrics, features, dag_id, run_id, rows_train, rows_test,
    reason)
values (
    'credit_card',
    '2013-10-01',
    date '2013-10-01',
    'keras',
    NULL,
    '{}'::jsonb,
    NULL,
    'credit_card_training',
    'scheduled__2013-10-01T00:00:00+00:00',
    0,
    1,
    NULL
);

do $evaluation$
begin
    if to_regclass('credit_card.tested_20131001') is null then
        return;
    end if;

    insert into models.evaluation (name, version, part, n, x, y)
    values ('credit_card', '2013-10-01', 'roc', 0, 0, 0);

    insert into models.evaluation (name, version, part, n, label, x, y)
    select 'credit_card', '2013-10-01', curves.part, points.n,
        round(points.probability::numeric, 4)::text,
        case curves.part when 'roc' then points.false_positives / nullif(points.negatives, 0)
            else points.true_positives / nullif(points.positives, 0) end,
        case curves.part when 'roc' then points.true_positives / nullif(points.positives, 0)
            else points.true_positives / (points.true_positives + points.false_positives) end
    from (
        select
            probability,
            row_number() over (order by probability desc) as n,
            count(*) over () as thresholds,
            sum(hits) over (order by probability desc)::double precision as true_positives,
            sum(others) over (order by probability desc)::double precision as false_positives,
            sum(hits) over ()::double precision as positives,
            sum(others) over ()::double precision as negatives
        from (
            select probability, sum(observed) as hits, sum(1 - observed) as others
            from credit_card.tested_20131001
            group by probability
        ) as thresholds
    ) as points
    cross join (values ('roc'::text), ('precision_recall')) as curves (part)
    where points.n = 1
        or points.n = points.thresholds
        or points.n % (points.thresholds / 200 + 1) = 0;

    insert into models.evaluation (name, version, part, n, series, label, y)
    select 'credit_card', '2013-10-01', 'confusion',
        row_number() over (order by cells.observed, cells.predicted),
        cells.observed, cells.predicted, cells.cases
    from (
        select observed.class as observed, predicted.class as predicted, count(cases.class) as cases
        from (select observed_class as class from credit_card.tested_20131001 union select predicted_class from credit_card.tested_20131001) as observed
        cross join (select observed_class as class from credit_card.tested_20131001 union select predicted_class from credit_card.tested_20131001) as predicted
        left join (
            select observed_class as class, predicted_class as said
            from credit_card.tested_20131001
        ) as cases on cases.class = observed.class and cases.said = predicted.class
        group by observed.class, predicted.class
    ) as cells;
end
$evaluation$;

insert into models.evaluation (name, version, part, n, series, x, y)
select
    'credit_card',
    '2013-10-01',
    'loss',
    row_number() over (order by series, x),
    series,
    x,
    y
from json_to_recordset('[]'::json)
    as losses (series text, x double precision, y double precision);

do $decide$
declare
    candidate models.registry%rowtype;
    rival models.registry%rowtype;
    known bigint;
    value numeric;
    verdict text;
    viable boolean := false;
begin
    select * into strict candidate
    from models.registry
    where name = 'credit_card'
        and version = '2013-10-01';
    select * into rival
    from models.registry
    where name = candidate.name
        and in_service
        and mdate < candidate.mdate
    order by mdate desc, version desc
    limit 1;

    verdict := candidate.reason;
    known := coalesce(candidate.rows_train, 0) + coalesce(candidate.rows_test, 0);
    if verdict is null and known < 10000 then
        verdict := 'trained and tested on ' || known || ' rows, fewer than '
            || 10000;
    end if;
    if verdict is null then
        value := candidate.metrics ->> 'recall';
        if value is null then
            verdict := 'recall is not known';
        elsif value < 0.8 then
            verdict := 'recall ' || round(value, 4)
                || ' is below ' || 0.8;
        end if;
    end if;
    if verdict is null then
        value := candidate.metrics ->> 'precision';
        if value is null then
            verdict := 'precision is not known';
        elsif value < 0.7 then
            verdict := 'precision ' || round(value, 4)
                || ' is below ' || 0.7;
        end if;
    end if;
    if verdict is null then
        value := candidate.metrics ->> 'average_precision';
        if value is null then
            verdict := 'average_precision is not known';
        elsif value + 0.05
            < (rival.metrics ->> 'average_precision')::numeric then
            verdict := 'average_precision ' || round(value, 4) || ' is below '
                || round((rival.metrics ->> 'average_precision')::numeric, 4)
                || ' of the model of ' || rival.version;
        else
            viable := true;
            verdict := 'average_precision ' || round(value, 4);
        end if;
    end if;

    update models.registry
    set in_service = viable, reason = verdict, decided_by = 'rule', decided_at = now()
    where name = candidate.name
        and version = candidate.version;
    raise notice 'in service: %, %', viable, verdict;
end
$decide$;
