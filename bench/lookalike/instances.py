"""Makes the instances of the lookalike benchmark and lets logistic regression score them.

usage: instances.py DATA OUT [--sets online_retail,eshop,msweb] [--seeds 12] [--reps 2]

An instance is a data set, a seed (who has done one thing, such as bought an umbrella) and a repetition. The events of that
one thing are taken out before features are built. Half of those who did it are the training seed; the others are to be found
again among all who are left. OUT/SET-N/features.csv holds the features, OUT/SET-N/rows-R.csv a row for each profile. A line
of JSON is printed for each instance when its files are complete; files that are there already are not made again.

The random numbers are NumPy's RandomState, which gives the same ones in every release (NEP 19).
"""

import argparse
import csv
import datetime
import gzip
import json
import math
import os
import re
import statistics

import numpy as np
import scipy.sparse as sparse
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

# Fewer profiles than this, or all but as many: a feature that tells nothing.
LEAST_SUPPORT = 10
# Which things may be a seed, and the generator that draws them.
FEWEST_WITH_SEED, LARGEST_SHARE, DRAW = 300, 0.10, 7
FOLDS = 3
# Inverse strengths of the penalty among which cross-validation chooses, and what a stronger one has to be better by.
STRENGTHS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
BETTER_BY = 1e-4


def table(path):
    with gzip.open(path, 'rt', encoding='utf-8', newline='') as lines:
        yield from csv.DictReader(lines)


def steps(family, name, value, cuts):
    """A number as features: one for each cut that it reaches."""
    return [(family, f'{name}>={cut}') for cut in cuts if value >= cut]


def words_of(texts, pattern, without, lower=False):
    """The distinct words of each text, by its id."""
    return {
        key: sorted(set(re.findall(pattern, text.lower() if lower else text)) - set(without)) for key, text in texts.items()
    }


def group(rows, key):
    groups = {}
    for row in rows:
        groups.setdefault(row[key], []).append(row)
    return groups


class OnlineRetail:
    """Customers of a gift shop; the seeds are who bought a product with a word in its name."""

    SEEDS = {
        'jewellery': 'NECKLACE|BRACELET|EARRINGS', 'knob': 'KNOB', 'umbrella': 'UMBRELLA', 'soap': 'SOAP',
        'bicycle': 'BICYCLE', 'poppy': 'POPPY', 'hair': 'HAIR', 'passport': 'PASSPORT', 'knitting': 'KNITTING',
        'sketchbook': 'SKETCHBOOK', 'incense': 'INCENSE', 'postcard': 'POSTCARD',
    }  # fmt: skip

    def __init__(self, data):
        self.names = {row['item_id']: row['item_name'] for row in table(f'{data}/online_retail_items.csv.gz')}
        self.words = words_of(self.names, r'[A-Z]{3,}', ('SET', 'THE', 'AND', 'WITH', 'FOR'))
        self.events = [
            {
                'user': int(row['user_id']),
                'at': datetime.datetime.fromisoformat(row['ts']),
                'event': row['event'],
                'order': row['order_id'],
                'item': row['item_id'],
                'quantity': float(row['qty']),
                'price': float(row['price']),
                'country': row['country'],
            }
            for row in table(f'{data}/online_retail_events.csv.gz')
        ]
        self.end = max(event['at'] for event in self.events)

    def seeds(self):
        return list(self.SEEDS)

    def instance(self, seed):
        items = {item for item, name in self.names.items() if re.search(self.SEEDS[seed], name)}
        positive = {e['user'] for e in self.events if e['item'] in items and e['event'] == 'purchase'}
        rest = [e for e in self.events if e['item'] not in items]
        purchases = group([e for e in rest if e['event'] == 'purchase'], 'user')
        returned = {e['user'] for e in rest if e['event'] == 'return'}
        features = {user: self.features_of(lines, user in returned) for user, lines in purchases.items()}
        return features, {user: len(lines) for user, lines in purchases.items()}, positive

    def features_of(self, lines, returned):
        items = {e['item'] for e in lines}
        counts = {}
        for item in items:
            for word in self.words.get(item, ()):
                counts[word] = counts.get(word, 0) + 1
        first, last = min(e['at'] for e in lines), max(e['at'] for e in lines)
        return [
            *(('item', item) for item in items),
            *(feature for word, n in counts.items() for feature in steps('cat', word, n, (1, 2, 4, 8))),
            *steps('rfm', 'orders', len({e['order'] for e in lines}), (2, 3, 5, 9)),
            *steps('rfm', 'items', len(items), (10, 20, 40, 80, 160)),
            *steps('rfm', 'spend', sum(e['quantity'] * e['price'] for e in lines), (200, 400, 800, 1600, 3200)),
            *steps('rfm', 'price', statistics.median(e['price'] for e in lines), (1.25, 1.65, 2.1, 2.95)),
            *steps('rfm', 'qty', statistics.median(e['quantity'] for e in lines), (3, 6, 12, 24)),
            *steps('rfm', 'rec', (self.end - last).days, (7, 30, 90, 180)),
            *steps('rfm', 'ten', (self.end - first).days, (30, 90, 180, 270)),
            *(('time', f'h{np.searchsorted((9, 12, 14, 17), e["at"].hour, side="right")}') for e in lines),
            *(('time', f'd{e["at"].weekday()}') for e in lines),
            *(('ctx', e['country']) for e in lines),
            *([('ctx', 'returned')] if returned else []),
        ]


class EShop:
    """Sessions of a shop for maternity clothes; the seeds are who looked at a category in a colour."""

    def __init__(self, data):
        self.events = list(table(f'{data}/eshop_clicks.csv.gz'))
        for event in self.events:
            event['user'] = int(event['session_id'])
            event['cc'] = f'c{event["category"]}_col{event["colour"]}'

    def seeds(self):
        sessions = {}
        for event in self.events:
            sessions.setdefault(event['cc'], set()).add(event['user'])
        most = LARGEST_SHARE * len({event['user'] for event in self.events})
        open_to_all = sorted(cc for cc, users in sessions.items() if FEWEST_WITH_SEED <= len(users) <= most)
        return sorted(str(cc) for cc in np.random.RandomState(DRAW).choice(open_to_all, 12, replace=False))

    def instance(self, seed):
        positive = {e['user'] for e in self.events if e['cc'] == seed}
        sessions = group([e for e in self.events if e['cc'] != seed], 'user')
        features = {user: self.features_of(clicks) for user, clicks in sessions.items()}
        return features, {user: len(clicks) for user, clicks in sessions.items()}, positive

    def features_of(self, clicks):
        models = {e['model'] for e in clicks}
        days = [datetime.date.fromisoformat(e['date']) for e in clicks]
        return [
            *(('item', model) for model in models),
            *(
                feature
                for column in ('category', 'colour', 'cc')
                for value, of_value in group(clicks, column).items()
                for feature in steps('cat', f'{column}{value}', len({e['model'] for e in of_value}), (1, 2, 4))
            ),
            *steps('rfm', 'n', len(clicks), (2, 3, 5, 8, 13, 21)),
            *steps('rfm', 'items', len(models), (2, 4, 8, 16)),
            *steps('rfm', 'ncat', len({e['category'] for e in clicks}), (2, 3, 4)),
            *steps('rfm', 'page', max(int(e['page']) for e in clicks), (2, 3, 4, 5)),
            *steps('rfm', 'price', statistics.median(float(e['price']) for e in clicks), (33, 38, 43, 48, 57)),
            *(('time', f'd{day.weekday()}') for day in days),
            *(('time', f'm{day.month}') for day in days),
            *(('ctx', f'{name}{e[name]}') for e in clicks for name in ('country', 'location', 'photo')),
        ]


class MSWeb:
    """Visitors of a web site in one week; the seeds are who visited an area."""

    def __init__(self, data):
        titles = {int(row['area_id']): row['title'] for row in table(f'{data}/msweb_areas.csv.gz')}
        self.words = words_of(titles, r'[a-z]{3,}', ('and', 'the', 'for', 'microsoft'), lower=True)
        self.visits = [
            {'user': int(row['user_id']), 'area': int(row['area_id'])} for row in table(f'{data}/msweb_visits.csv.gz')
        ]

    def seeds(self):
        most = LARGEST_SHARE * len({visit['user'] for visit in self.visits})
        visits = {area: len(of_area) for area, of_area in group(self.visits, 'area').items()}
        open_to_all = sorted(area for area, n in visits.items() if FEWEST_WITH_SEED <= n <= most)
        return sorted(int(area) for area in np.random.RandomState(DRAW).choice(open_to_all, 12, replace=False))

    def instance(self, seed):
        positive = {v['user'] for v in self.visits if v['area'] == seed}
        visitors = group([v for v in self.visits if v['area'] != seed], 'user')
        features = {user: self.features_of(visits) for user, visits in visitors.items()}
        return features, {user: len(visits) for user, visits in visitors.items()}, positive

    def features_of(self, visits):
        areas = {v['area'] for v in visits}
        counts = {}
        for area in areas:
            for word in self.words.get(area, ()):
                counts[word] = counts.get(word, 0) + 1
        return [
            *(('item', str(area)) for area in areas),
            *(feature for word, n in counts.items() for feature in steps('cat', word, n, (1, 2, 4))),
            *steps('rfm', 'n', len(visits), (2, 3, 4, 6, 9)),
        ]


SETS = {'online_retail': OnlineRetail, 'eshop': EShop, 'msweb': MSWeb}


def matrix_of(features, users):
    """The features with enough support, as a matrix of users and features, and their names."""
    having = {}
    for row, user in enumerate(users):
        for feature in set(features[user]):
            having.setdefault(feature, []).append(row)
    names = sorted(name for name, rows in having.items() if LEAST_SUPPORT <= len(rows) <= len(users) - LEAST_SUPPORT)
    rows = np.concatenate([having[name] for name in names])
    columns = np.repeat(np.arange(len(names)), [len(having[name]) for name in names])
    return sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(users), len(names))), names


def fitted(x, y, strength):
    return LogisticRegression(C=strength, solver='lbfgs', max_iter=500, tol=1e-3).fit(x, y)


def best_strength(x, y):
    """The penalty with the best AUC in a stratified cross-validation."""
    random, fold = np.random.RandomState(0), np.empty(len(y), int)
    for label in (0, 1):
        rows = np.where(y == label)[0]
        fold[rows] = random.permutation(len(rows)) % FOLDS
    best, chosen = -math.inf, None
    for strength in STRENGTHS:
        auc = np.mean(
            [
                roc_auc_score(
                    y[fold == k], fitted(x[fold != k], y[fold != k], strength).decision_function(x[fold == k])
                )
                for k in range(FOLDS)
            ]
        )
        if chosen is None or auc > best + BETTER_BY:
            best, chosen = auc, strength
    return chosen


def split(is_positive, rep):
    """The training seed, the eligible rows, and of these the fold and a random score."""
    positives = np.where(is_positive)[0]
    np.random.RandomState(100 + rep).shuffle(positives)
    training = np.zeros(len(is_positive), bool)
    training[positives[: len(positives) // 2]] = True
    eligible = np.where(~training)[0]
    random = np.random.RandomState(rep)
    random_score = random.rand(len(eligible))
    return np.where(training)[0], eligible, random.randint(FOLDS, size=len(eligible)), random_score


def logistic_scores(x, training, eligible, fold):
    """Scores of the eligible by a regression that has not seen their fold; held-out positives elsewhere count as others."""
    scores, strength = np.zeros(len(eligible)), None
    for k in range(FOLDS):
        train = sparse.vstack([x[training], x[eligible[fold != k]]]).tocsr()
        label = np.r_[np.ones(len(training)), np.zeros(np.count_nonzero(fold != k))]
        if strength is None:
            strength = best_strength(train, label)
        scores[fold == k] = fitted(train, label, strength).decision_function(x[eligible[fold == k]])
    return scores, strength


def write(path, header, rows):
    with open(f'{path}.part', 'w', encoding='utf-8', newline='') as file:
        out = csv.writer(file)
        out.writerow(header)
        out.writerows(rows)
    os.replace(f'{path}.part', path)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument('data')
    arguments.add_argument('out')
    arguments.add_argument('--sets', default=','.join(SETS))
    arguments.add_argument('--seeds', type=int, default=12)
    arguments.add_argument('--reps', type=int, default=2)
    given = arguments.parse_args()
    for name in given.sets.split(','):
        data = None
        for number in range(given.seeds):
            folder = f'{given.out}/{name}-{number}'
            os.makedirs(folder, exist_ok=True)
            wanted = [f'{folder}/rows-{rep}.csv' for rep in range(given.reps)]
            made = None
            for rep, path in enumerate(wanted):
                if not os.path.exists(path) or not os.path.exists(f'{folder}/features.csv'):
                    data = data or SETS[name](given.data)
                    seed = data.seeds()[number]
                    made = made or make(data, seed, folder)
                    write_rows(made, rep, path)
                print(json.dumps({'set': name, 'seed': number, 'rep': rep, 'folder': folder}), flush=True)


def make(data, seed, folder):
    features, activity, positive = data.instance(seed)
    users = sorted(features)
    x, names = matrix_of(features, users)
    entries = x.tocoo()
    write(
        f'{folder}/features.csv',
        ('profile_id', 'family', 'feature'),
        ((users[row], *names[column]) for row, column in zip(entries.row, entries.col, strict=True)),
    )
    return users, x, activity, np.array([user in positive for user in users])


def write_rows(made, rep, path):
    users, x, activity, is_positive = made
    training, eligible, fold, random_score = split(is_positive, rep)
    logistic, strength = logistic_scores(x, training, eligible, fold)
    tie = np.random.RandomState(0).rand(len(eligible))
    write(
        path,
        ('profile_id', 'fold', 'held_out', 'tie', 'random', 'activity', 'logistic'),
        [
            *((users[row], '', '', '', '', '', '') for row in training),
            *(
                (users[row], fold[i] + 1, int(is_positive[row]), repr(float(tie[i])), repr(float(random_score[i])),
                 activity[users[row]], repr(float(logistic[i])))
                for i, row in enumerate(eligible)
            ),
        ],
    )  # fmt: skip


if __name__ == '__main__':
    main()
