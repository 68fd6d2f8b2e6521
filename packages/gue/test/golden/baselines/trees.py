"""Writes trees.json: histogram gradient boosting by scikit-learn 1.2.1. Run: python3 -P trees.py
`regression`: targets without ties, so that every split has one answer. `classes`: 2- to 4-mers and one-hot positions of random sequences, where splits tie often."""
import json
import numpy
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.feature_extraction.text import CountVectorizer

random = numpy.random.default_rng(5)
features = random.integers(0, 9, (300, 12))
targets = features[:, 3] * (features[:, 5] > 4) + random.normal(size=300)
model = HistGradientBoostingRegressor(max_iter=4, early_stopping=False).fit(features, targets)
regression = {"features": features.tolist(), "targets": targets.tolist(), "staged": [p.tolist() for p in model.staged_predict(features)]}

cases = []
words = [""]
vocabulary = []
for k in range(1, 5):
    words = [word + base for word in words for base in "ACGT"]
    vocabulary += words if k > 1 else []
for classes in (2, 3):
    labels = random.integers(0, classes, 300)
    preference = random.dirichlet(numpy.ones(4) * 6, classes)
    sequences = ["".join(random.choice(list("ACGT"), p=preference[label], size=random.integers(25, 36))) for label in labels]
    counts = CountVectorizer(analyzer="char", ngram_range=(2, 4), lowercase=False, vocabulary=vocabulary).transform(sequences).toarray()
    positions = numpy.array([[base == letter for base in sequence.ljust(35) for letter in "ACGT"] for sequence in sequences])
    model = HistGradientBoostingClassifier(max_iter=3, early_stopping=False).fit(numpy.hstack([counts, positions]).astype(float), labels)
    staged = [numpy.round(p, 4).tolist() for p in model.staged_predict_proba(numpy.hstack([counts, positions]).astype(float))]
    cases.append({"classes": classes, "sequences": sequences, "labels": labels.tolist(), "staged": staged})
json.dump({"regression": regression, "cases": cases}, open("trees.json", "w"), separators=(",", ":"))
