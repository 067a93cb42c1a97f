{#- The registry of models (models.registry, models.evaluation) as training and scoring use it, on
    PostgreSQL 15, Greenplum 6 and 7. A macro that makes statements ends each of them with a
    semicolon; the others make a part of one. -#}

{#- Statements after which the registry does not know the version: for a training that replaces
    it. -#}
{%- macro forget(name, version) -%}
delete from models.evaluation
where name = {{ name | literal }}
    and version = {{ version | literal }};
delete from models.registry
where name = {{ name | literal }}
    and version = {{ version | literal }};
{%- endmacro -%}

{#- A query of the version that scores rows of before that day: the newest in service that was
    trained on rows before it. So a day that is run again gets the answer it got at first. -#}
{%- macro in_service(name, before) -%}
select registry.version, registry.mdate, registry.kind, registry.place, registry.metrics
from models.registry
where registry.name = {{ name | literal }}
    and registry.in_service
    and registry.mdate < date {{ before | literal }}
order by registry.mdate desc, registry.version desc
limit 1
{%- endmacro -%}

{#- The rule of promotion. The version's row is in the registry, out of service; a `reason` in it
    says why it cannot serve. After these statements it is in service if it is viable (no reason
    against it, `min_rows` rows, each metric of `least` known and not below its number) and its
    metric `compare` is known and not below that of the version in service on its date by more than
    `slack`, because the two were tested on different rows; its row says so. -#}
{%- macro decide(name, version, least, compare, min_rows=0, slack=0) -%}
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
    where name = {{ name | literal }}
        and version = {{ version | literal }};
    select * into rival
    from models.registry
    where name = candidate.name
        and in_service
        and mdate < candidate.mdate
    order by mdate desc, version desc
    limit 1;

    verdict := candidate.reason;
    known := coalesce(candidate.rows_train, 0) + coalesce(candidate.rows_test, 0);
    if verdict is null and known < {{ min_rows | literal }} then
        verdict := 'trained and tested on ' || known || ' rows, fewer than '
            || {{ min_rows | literal }};
    end if;
    {%- for metric, number in least.items() %}
    {%- set words = "AUC" if metric == "auc" else metric %}
    if verdict is null then
        value := candidate.metrics ->> {{ metric | literal }};
        if value is null then
            verdict := {{ (words ~ " is not known") | literal }};
        elsif value < {{ number | literal }} then
            verdict := {{ (words ~ " ") | literal }} || round(value, 4)
                || ' is below ' || {{ number | literal }};
        end if;
    end if;
    {%- endfor %}
    {%- set words = "AUC" if compare == "auc" else compare %}
    if verdict is null then
        value := candidate.metrics ->> {{ compare | literal }};
        if value is null then
            verdict := {{ (words ~ " is not known") | literal }};
        elsif value{% if slack %} + {{ slack | literal }}{% endif %}
            < (rival.metrics ->> {{ compare | literal }})::numeric then
            verdict := {{ (words ~ " ") | literal }} || round(value, 4) || ' is below '
                || round((rival.metrics ->> {{ compare | literal }})::numeric, 4)
                || ' of the model of ' || rival.version;
        else
            viable := true;
            verdict := {{ (words ~ " ") | literal }} || round(value, 4);
        end if;
    end if;

    update models.registry
    set in_service = viable, reason = verdict, decided_by = 'rule', decided_at = now()
    where name = candidate.name
        and version = candidate.version;
    raise notice 'in service: %, %', viable, verdict;
end
$decide$;
{%- endmacro -%}

{#- A statement that keeps the version's ROC and precision-recall curves, of at most about 200
    points each, and its confusion matrix. `source` is a table with a row for each case of the test
    part: probability (of the class that is looked for), observed (1 or 0), observed_class and
    predicted_class. Where it does not exist nothing is kept. -#}
{%- macro keep_evaluation(name, version, source) -%}
do $evaluation$
begin
    if to_regclass({{ source | literal }}) is null then
        return;
    end if;

    insert into models.evaluation (name, version, part, n, x, y)
    values ({{ name | literal }}, {{ version | literal }}, 'roc', 0, 0, 0);

    insert into models.evaluation (name, version, part, n, label, x, y)
    select {{ name | literal }}, {{ version | literal }}, curves.part, points.n,
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
            from {{ source }}
            group by probability
        ) as thresholds
    ) as points
    cross join (values ('roc'::text), ('precision_recall')) as curves (part)
    where points.n = 1
        or points.n = points.thresholds
        or points.n % (points.thresholds / 200 + 1) = 0;

    insert into models.evaluation (name, version, part, n, series, label, y)
    select {{ name | literal }}, {{ version | literal }}, 'confusion',
        row_number() over (order by cells.observed, cells.predicted),
        cells.observed, cells.predicted, cells.cases
    from (
        select observed.class as observed, predicted.class as predicted, count(cases.class) as cases
        from ({{ classes(source) }}) as observed
        cross join ({{ classes(source) }}) as predicted
        left join (
            select observed_class as class, predicted_class as said
            from {{ source }}
        ) as cases on cases.class = observed.class and cases.said = predicted.class
        group by observed.class, predicted.class
    ) as cells;
end
$evaluation$;
{%- endmacro -%}

{%- macro classes(source) -%}
select observed_class as class from {{ source }} union select predicted_class from {{ source }}
{%- endmacro -%}
