create schema if not exists credit_card;

-- The file's rows, under its columns' names.
create table credit_card.transactions (
    id bigint not null,          -- the row's number in the file
    tdate date not null,
    "time" double precision,     -- seconds since the first transaction
    v1 double precision,
    v2 double precision,
    v3 double precision,
    v4 double precision,
    v5 double precision,
    v6 double precision,
    v7 double precision,
    v8 double precision,
    v9 double precision,
    v10 double precision,
    v11 double precision,
    v12 double precision,
    v13 double precision,
    v14 double precision,
    v15 double precision,
    v16 double precision,
    v17 double precision,
    v18 double precision,
    v19 double precision,
    v20 double precision,
    v21 double precision,
    v22 double precision,
    v23 double precision,
    v24 double precision,
    v25 double precision,
    v26 double precision,
    v27 double precision,
    v28 double precision,
    amount double precision,
    class smallint               -- 1: a fraud
) distributed by (id);

-- What the model in service said of the day's transactions.
create table credit_card.scores (
    id bigint,
    tdate date,
    probability double precision,
    class smallint,
    model_version text
) partition by list (tdate)
distributed by (id);

create type credit_card.score as (
    id bigint,
    probability double precision,
    class smallint
);

-- Adds a row to a stack, which is held in the session's memory (GD) under the name that is the
-- aggregate's state. All stacks of a transaction have `megabytes` together; those that an error left
-- behind are dropped when another transaction begins one. Features are kept as the floats of four
-- bytes that a network computes with. Written for Python 2.7 and 3.
create function credit_card.stack_row(
    stack text,
    id bigint,
    features double precision[],
    megabytes integer
) returns text as $function$
def fail(sqlstate, message, hint):
    plpy.error(message, hint=hint, sqlstate=sqlstate)


if id is None or features is None:
    fail('22004', 'a row to score has no %s' % ('id' if id is None else 'features'),
         'stack_rows takes an id, an array of features and a number of megabytes')
name = stack
if name is None:
    from array import array
    now = plpy.execute('select now()::text as at')[0]['at']
    shelf = GD.get('credit_card.shelf')
    if shelf is None or shelf['transaction'] != now:
        shelf = {'transaction': now, 'bytes': 0, 'made': 0, 'stacks': {}}
        GD['credit_card.shelf'] = shelf
    shelf['made'] += 1
    name = 'stack %d' % shelf['made']
    shelf['stacks'][name] = (len(features), array('l'), array('f'))
else:
    shelf = GD['credit_card.shelf']
width, ids, values = shelf['stacks'][name]
if len(features) != width:
    fail('22023', 'row %d has %d features, and the rows before it have %d'
         % (id, len(features), width), 'every row of a stack has the same features')
if None in features:
    fail('22004', 'feature %d of row %d is null' % (features.index(None) + 1, id),
         'a network knows no null: clean the rows, or leave them out')
shelf['bytes'] += 8 + 4 * width
if shelf['bytes'] > megabytes * 1048576:
    fail('53200', 'the rows stacked for scoring take more than %d MB: %d rows in %d stacks'
         % (megabytes, sum(len(each[1]) for each in shelf['stacks'].values()),
            len(shelf['stacks'])),
         'use more buckets, or allow more megabytes')
ids.append(id)
values.extend(features)
return name
$function$ language plpython3u volatile;

-- Gives the name of a stack, for score_keras in the same session, or segment process.
create aggregate credit_card.stack_rows(bigint, double precision[], integer) (
    sfunc = credit_card.stack_row,
    stype = text
);

-- What the model says of the rows of a stack, which is gone afterwards: a row each, its class 1 from
-- the threshold on. The model's file is loaded once in a session, and again when it has changed.
-- Rows come as they are computed, so that the session can be cancelled in between. Written for
-- Python 2.7 and 3, Keras 2 and 3.
create function credit_card.score_keras(
    model text,
    stack text,
    threshold double precision
) returns setof credit_card.score as $function$
import errno
import os
import socket
import sys
import zipfile

def fail(sqlstate, message, hint):
    plpy.error(message, hint=hint, sqlstate=sqlstate)


def changed(path):
    try:
        with open(path, 'rb') as file:
            found = os.fstat(file.fileno())
    except (IOError, OSError) as error:
        what, state = ('there is no model file %s on %s', '58P01')
        if error.errno != errno.ENOENT:
            what, state = ('the model file %s on %s cannot be read: ' + error.strerror, '42501')
        fail(state, what % (path, socket.gethostname()),
             'every host of the database needs it, readable by the server: train the model again, '
             'or put another one in service')
    return found.st_mtime, found.st_size, found.st_ino


def saved_by(path):
    # The version of Keras that wrote the file.
    if zipfile.is_zipfile(path):
        import json
        with zipfile.ZipFile(path) as parts:
            return str(json.loads(parts.read('metadata.json').decode('utf-8'))['keras_version'])
    import h5py
    with h5py.File(path, 'r') as parts:
        version = parts.attrs['keras_version']
        return version if isinstance(version, str) else version.decode('ascii')


def numbers(version):
    return [int(part) for part in version.split('.')[:2]]


def load(path):
    if not hasattr(sys, 'argv'):
        sys.argv = ['']    # TensorFlow looks at it
    try:
        import keras
    except ImportError as error:
        fail('58P01', 'Keras cannot be loaded on %s: %s' % (socket.gethostname(), error),
             'install it for the Python of the server')
    try:
        saved = saved_by(path)
    except Exception as error:
        fail('22023', '%s is no model of Keras: %s' % (path, error), 'train the model again')
    here = keras.__version__
    if numbers(saved) > numbers(here) or numbers(saved)[0] != numbers(here)[0]:
        fail('55000', 'the model %s was saved by Keras %s, and %s has Keras %s'
             % (path, saved, socket.gethostname(), here),
             'train the model again with the version of the server')
    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:
        fail('55000', 'Keras %s cannot load the model %s, saved by Keras %s: %s'
             % (here, path, saved, error), 'train the model again')


if stack is None:
    return
width, ids, values = GD.get('credit_card.shelf', {}).get('stacks', {}).get(stack) or (0, (), ())
if not width:
    fail('22023', 'there is no %s in this session' % stack,
         'stack_rows and score_keras belong into one query, and a stack is scored once')
shelf = GD['credit_card.shelf']
mark = (model,) + changed(model)
if GD.get('credit_card.model', (None,))[0] != mark:
    GD.pop('credit_card.model', None)
    GD['credit_card.model'] = (mark, load(model))
network = GD['credit_card.model'][1]

import numpy

expected = network.input_shape[-1]
if expected != width:
    fail('22023', 'the model %s takes %d features, and the rows have %d' % (model, expected, width),
         'give it the features that it was trained on')
rows = numpy.frombuffer(values, dtype=numpy.float32).reshape(-1, width)
wrong = numpy.argwhere(~numpy.isfinite(rows))
if len(wrong):
    fail('22003', 'feature %d of row %d is not a finite number'
         % (wrong[0][1] + 1, ids[int(wrong[0][0])]), 'clean the rows, or leave them out')

# One shape, or one for few rows: the network is compiled for each shape that it sees.
size = 32 if len(rows) <= 32 else 4096
for first in range(0, len(rows), size):
    part = rows[first:first + size]
    count = len(part)
    if count < size:
        part = numpy.concatenate([part, numpy.zeros((size - count, width), numpy.float32)])
    found = numpy.asarray(network.predict_on_batch(part)).reshape(-1)[:count].tolist()
    for number, probability in zip(ids[first:first + count], found):
        yield number, probability, 1 if probability >= threshold else 0
shelf['bytes'] -= len(ids) * (8 + 4 * width)
del shelf['stacks'][stack]
$function$ language plpython3u volatile;
