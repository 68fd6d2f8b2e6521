"""Reads {"folder", "kind", "C"} from stdin; fits scikit-learn's logistic regression on the same features, converged, and writes predictions of test and coefficients."""
import csv, gzip, itertools, json, sys
import numpy
from scipy import sparse
from sklearn.linear_model import LogisticRegression

request = json.load(sys.stdin)


def read(split):
    rows = list(csv.reader(gzip.open(f"{request['folder']}/{split}.csv.gz", "rt")))[1:]
    return [row[0].upper() for row in rows], numpy.array([int(row[-1]) for row in rows])


def kmers(sequences):
    columns = {"".join(word): i for i, word in enumerate(w for k in range(3, 7) for w in itertools.product("ACGT", repeat=k))}
    data, indices, starts = [], [], [0]
    for sequence in sequences:
        counts = {}
        for k in range(3, 7):
            for i in range(len(sequence) - k + 1):
                column = columns.get(sequence[i:i + k])
                if column is not None:
                    counts[column] = counts.get(column, 0) + 1
        total = sum(counts.values())
        indices += counts.keys()
        data += [count / total for count in counts.values()]
        starts.append(len(indices))
    return sparse.csr_matrix((data, indices, starts), shape=(len(sequences), len(columns)))


def onehot(sequences):
    length = max(map(len, sequences))
    x = numpy.zeros((len(sequences), length * 4))
    for row, sequence in enumerate(sequences):
        for i, base in enumerate(sequence[:length]):
            if base in "ACGT":
                x[row, 4 * i + "ACGT".index(base)] = 1
    return sparse.csr_matrix(x)


def composition(sequences):
    values = [((s.count("G") + s.count("C")) / len(s), s.count("CG") / len(s), (s.count("G") - s.count("C")) / max(1, s.count("G") + s.count("C"))) for s in sequences]
    return sparse.csr_matrix(numpy.array(values))


(train, labels), (test, _) = read("train"), read("test")


def divided(x, y):
    """By the deviation of each column of x."""
    deviations = numpy.sqrt(numpy.asarray(x.multiply(x).mean(axis=0) - numpy.power(x.mean(axis=0), 2)).ravel())
    deviations[deviations < 1e-12] = 1
    return x @ sparse.diags(1 / deviations), y @ sparse.diags(1 / deviations)


parts = {"kmer": [kmers], "onehot": [onehot], "composition": [composition], "kmer-onehot": [kmers, onehot]}[request["kind"]]
pairs = [(part(train), part(test)) if part is onehot else divided(part(train), part(test)) for part in parts]
x, y = (sparse.hstack(split).tocsr() for split in zip(*pairs))
model = LogisticRegression(C=request["C"], solver="newton-cg", tol=1e-10, max_iter=1000).fit(x, labels)
json.dump({"predicted": model.predict(y).tolist(), "coefficients": model.coef_.T.ravel().tolist(), "intercepts": model.intercept_.tolist()}, sys.stdout)
