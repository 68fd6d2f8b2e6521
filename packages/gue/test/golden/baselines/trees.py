"""Writes trees.json: histogram gradient boosting by scikit-learn 1.2.1 on counts of 2- to 4-mers and one-hot positions of random sequences. Run: python3 -P trees.py"""
import json
import numpy
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import CountVectorizer

random = numpy.random.default_rng(5)
cases = []
for classes in (2, 3):
    labels = random.integers(0, classes, 300)
    preference = random.dirichlet(numpy.ones(4) * 6, classes)
    sequences = ["".join(random.choice(list("ACGT"), p=preference[label], size=random.integers(25, 36))) for label in labels]
    words = [""]
    vocabulary = []
    for k in range(1, 5):
        words = [word + base for word in words for base in "ACGT"]
        vocabulary += words if k > 1 else []
    counts = CountVectorizer(analyzer="char", ngram_range=(2, 4), lowercase=False, vocabulary=vocabulary).transform(sequences).toarray()
    positions = numpy.array([[base == letter for base in sequence.ljust(35) for letter in "ACGT"] for sequence in sequences])
    features = numpy.hstack([counts, positions]).astype(float)
    model = HistGradientBoostingClassifier(max_iter=5, early_stopping=False).fit(features, labels)
    staged = [numpy.round(p, 6).tolist() for p in model.staged_predict_proba(features)]
    cases.append({"classes": classes, "sequences": sequences, "labels": labels.tolist(), "staged": staged})
json.dump({"cases": cases}, open("trees.json", "w"), separators=(",", ":"))
