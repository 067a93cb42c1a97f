"""The metadata of a daemon that lives in another mount namespace, where SQLite has to be, too: this
file is also the program that runs there. A line of JSON, [sql, values], is answered with one: rows,
or a text that says why not. SQL that is none but `hold` and `let go` takes the writer's lock and
gives it back."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing


class Metadata:
    def __init__(self, enter, path):
        self.program = subprocess.Popen([*enter, sys.executable, __file__, str(path)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, sql, *values):
        self.program.stdin.write(json.dumps([sql, values]) + "\n")
        self.program.stdin.flush()
        answer = json.loads(self.program.stdout.readline())
        if isinstance(answer, str):
            raise AssertionError(f"metadata: {answer}")
        return [tuple(row) for row in answer]

    def close(self):
        self.program.stdin.close()
        self.program.stdout.close()
        self.program.wait(60)


def read(path, sql, values):
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=60)) as database:
        return database.execute(sql, values).fetchall()


def serve(path):
    writer = None
    for line in sys.stdin:
        sql, values = json.loads(line)
        answer = []
        try:
            if sql == "hold":
                writer = sqlite3.connect(path, isolation_level=None, timeout=60)
                writer.execute("begin immediate")
            elif sql == "let go":
                writer.execute("rollback")
                writer.close()
            else:
                answer = read(path, sql, values)
        except sqlite3.Error as failure:
            answer = str(failure)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve(sys.argv[1])
