-- Is a transaction with these features, V1 to V28, a fraud? The newest model in service says so.
select (scored.score).probability, (scored.score).class = 1 as fraud, scored.model_version
from (
    select
        credit_card.score_keras(
            model.place,
            credit_card.stack_rows(0, %(features)s::double precision[], 1),
            (model.metrics ->> 'threshold')::double precision
        ) as score,
        model.version as model_version
    from (
        select place, version, metrics
        from models.registry
        where name = 'credit_card' and in_service
        order by mdate desc, version desc
        limit 1
    ) as model
    group by model.place, model.version, model.metrics
) as scored
