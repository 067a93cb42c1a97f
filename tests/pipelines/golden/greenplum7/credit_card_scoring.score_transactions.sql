-- Is it a fraud? Asks the newest model in service of a date before 2013-10-02, the end of the
-- day: so the day gives the same answer when it is run again later. Every bucket of rows
-- of a segment is stacked in memory and scored at once.
drop table if exists credit_card.scores_1_prt_p20131001;
create table credit_card.scores_1_prt_p20131001
    partition of credit_card.scores for values in (date '2013-10-01');

do $task$
declare
    model record;
    scored bigint;
    frauds bigint;
begin
    if not exists (
        select 1 from credit_card.transactions where tdate = date '2013-10-01'
    ) then
        raise warning 'no transactions on 2013-10-01';
        return;
    end if;

    select * into model
    from (
        select registry.version, registry.mdate, registry.kind, registry.place, registry.metrics
        from models.registry
        where registry.name = 'credit_card'
            and registry.in_service
            and registry.mdate < date '2013-10-02'
        order by registry.mdate desc, registry.version desc
        limit 1
    ) as newest;

    if model.place is null then
        raise warning 'no scores: no model before 2013-10-02';
        return;
    end if;

    insert into credit_card.scores (id, tdate, probability, class, model_version)
    select (score).id, date '2013-10-01', (score).probability, (score).class, model.version
    from (
        select
            credit_card.score_keras(
                model.place,
                stack,
                (model.metrics ->> 'threshold')::double precision
            ) as score
        from (
            select
                credit_card.stack_rows(
                    id,
                    array[
                        v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14,
                        v15, v16, v17, v18, v19, v20, v21, v22, v23, v24, v25, v26, v27, v28
                    ],
                    64
                ) as stack
            from credit_card.transactions
            where tdate = date '2013-10-01'
            group by id % 4, gp_segment_id
        ) as stacks
    ) as scores;
    get diagnostics scored = row_count;

    select count(*) into frauds
    from credit_card.scores
    where tdate = date '2013-10-01'
        and class = 1;
    raise notice '% transactions, % of them frauds, by the model of %',
        scored, frauds, model.version;
end
$task$;
