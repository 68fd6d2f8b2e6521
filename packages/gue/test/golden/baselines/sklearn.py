"""Writes sklearn.json: k-mer logistic regression by scikit-learn 1.2.1, converged, on random sequences with a planted preference. Run: python3 sklearn.py"""
import json
import numpy
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler, normalize

random = numpy.random.default_rng(11)
cases = []
for classes in (2, 4):
    labels = random.integers(0, classes, 60)
    preference = random.dirichlet(numpy.ones(4) * 3, classes)
    draw = lambda label: "".join(random.choice(list("ACGT"), p=preference[label], size=random.integers(20, 50)))
    train, test = [draw(label) for label in labels], [draw(label) for label in labels[:20]]
    counter = CountVectorizer(analyzer="char", ngram_range=(1, 2), lowercase=False,
                              vocabulary=[a + b for a in ["", *"ACGT"] for b in "ACGT"])
    scaler = StandardScaler(with_mean=False)
    x = scaler.fit_transform(normalize(counter.transform(train).astype(float), norm="l1"))
    for strength in (0.01, 1.0):
        model = LogisticRegression(C=strength, solver="newton-cg", tol=1e-12, max_iter=10000).fit(x, labels)  # lbfgs stops at a decrease of 2e-9
        probabilities = model.predict_proba(scaler.transform(normalize(counter.transform(test).astype(float), norm="l1")))
        cases.append({"classes": classes, "C": strength, "train": train, "labels": labels.tolist(), "test": test,
                      "coefficients": model.coef_.T.tolist(), "intercepts": model.intercept_.tolist(), "probabilities": probabilities.tolist()})
json.dump({"cases": cases}, open("sklearn.json", "w"), separators=(",", ":"))
