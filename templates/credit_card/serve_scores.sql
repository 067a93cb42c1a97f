-- What was said of these transactions when their day was scored, and by which model.
select id, tdate, probability, class = 1 as fraud, model_version
from credit_card.scores
where id = any(%(ids)s::bigint[])
order by id
