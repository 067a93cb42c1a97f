#!/usr/bin/python3
"""`dag lint` over many DAG files, beside what libpg_query alone takes for the same SQL.

    bench/lint.py [--dag build/release/dag] [--rounds 5] [--files 1000] [--unchanged 10000]

Each file is a DAG of ten tasks with sixty lines of SQL each. The floor is bench/parse.c: one parse
of each text as it is rendered, and nothing else, in the same turn. Ours is the whole command, from
a cold start: reading, checking, rendering for each dialect, lineage. Then the same, and `dag list`,
with files of which none has changed since the last run; there the floor is reading and hashing
them. All times are of the processor, so that other work on the machine disturbs them less.
"""

import subprocess
from pathlib import Path

from harness import (MILLISECONDS, Report, options, output, own_children_cpu_seconds, workplace)

TASKS = 10
DAY = "2024-01-01"

COLUMNS = 22
STATEMENT = """\
delete from mart.trips_{n} where day = date '{ds}';

insert into mart.trips_{n} (day, station_id, rides, {columns})
with ride as (
    select
        r.station_id,
        r.started_at,
        r.ended_at,
        extract(epoch from (r.ended_at - r.started_at)) / 60.0 as minutes,
        case when r.member then 'member' else 'guest' end as kind
    from {source} r
    where r.day = date '{ds}'
        and r.ended_at > r.started_at
),
numbered as (
    select ride.*, row_number() over (partition by station_id order by started_at) as n
    from ride
)
select
    date '{ds}',
    s.station_id,
    count(*) as rides,
{sums}
from numbered n
join mart.stations s on s.station_id = n.station_id
left join mart.closed c on c.station_id = s.station_id and c.day = date '{ds}'
where c.station_id is null
group by s.station_id
having count(*) > 1;
"""


def statement(file, task, day):
    names = [f"value_{i}" for i in range(COLUMNS)]
    sums = ",\n".join(
        f"    sum(case when n.n % {i + 2} = {i} and n.kind = 'member' then n.minutes end) as {name}"
        for i, name in enumerate(names))
    source = f"mart.trips_{file}_{task - 1}" if task else f"raw.rides_{file}"
    text = STATEMENT.format(n=f"{file}_{task}", ds=day, source=source, sums=sums,
                            columns=",\n    ".join(names))
    return text


def write_dags(folder, count):
    for file in range(count):
        tasks = ""
        for task in range(TASKS):
            sql = "\n".join(f"      {line}" for line in
                            statement(file, task, "{{ ds }}").splitlines())
            after = f"\n    depends_on: t{task - 1}" if task else ""
            tasks += f"  t{task}:\n    sql: |\n{sql}{after}\n"
        (folder / "dags" / f"d{file:05}.yaml").write_text(
            f'schedule: "@daily"\nstart_date: {DAY}\ndefault_args: {{connection: mart}}\n'
            f"tasks:\n{tasks}")


def write_project(folder, count):
    (folder / "dags").mkdir(parents=True)
    (folder / "dag.yaml").write_text("connections: {mart: {}}\n")
    write_dags(folder, count)
    return folder


def timed(command, folder):
    began = own_children_cpu_seconds()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return 1000 * (own_children_cpu_seconds() - began)


def floor_of(program, texts):
    began = own_children_cpu_seconds()
    refused = output([program], input=texts).strip()
    assert refused == "0", f"{refused} texts were refused"
    return 1000 * (own_children_cpu_seconds() - began)


def cold(report, chosen, folder):
    project = write_project(folder / "cold", chosen.files)
    names = []
    (folder / "sql").mkdir()
    for file in range(chosen.files):
        for task in range(TASKS):
            path = folder / "sql" / f"{file}_{task}.sql"
            path.write_text(statement(file, task, DAY))
            names.append(str(path))
    program = str(Path(chosen.dag).parent / "bench_parse")
    ours, floor = [], []
    for _ in range(chosen.rounds):
        floor.append(floor_of(program, "\n".join(names) + "\n"))
        ours.append(timed([chosen.dag, "lint"], project))
    ratio = report.turns(f"lint of {chosen.files} files, over one parse", ours, floor, MILLISECONDS)
    report.aim("lint takes at most three times the parse", ratio <= 3)


def unchanged(report, chosen, folder):
    project = write_project(folder / "unchanged", chosen.unchanged)
    (project / ".dag").mkdir()  # where what was found is kept
    for words in (["lint"], ["list"]):
        timed([chosen.dag, *words], project)
    for words in (["lint"], ["list"]):
        ours, floor = [], []
        for _ in range(chosen.rounds):
            floor.append(timed(["sh", "-c", "cat dags/*.yaml | sha256sum"], project))
            ours.append(timed([chosen.dag, *words], project))
        ratio = report.turns(f"{words[0]} of {chosen.unchanged} unchanged files, over reading them",
                             ours, floor, MILLISECONDS)
        report.aim(f"{words[0]} takes less than twice the reading", ratio < 2)


def main():
    chosen = options(__doc__, files=1000, unchanged=10000)
    report = Report(chosen)
    with workplace() as (folder, _):
        cold(report, chosen, folder)
        unchanged(report, chosen, folder)
    report.end()


if __name__ == "__main__":
    main()
