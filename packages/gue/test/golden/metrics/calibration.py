"""Writes calibration.json: log-loss by scikit-learn 1.2.1, calibration errors by numpy, on random probabilities. Run: python3 -P calibration.py"""
import json
import numpy
from sklearn.metrics import brier_score_loss, log_loss

random = numpy.random.default_rng(3)
cases = []
for classes, items in ((2, 50), (2, 300), (5, 200)):
    probabilities = numpy.round(random.dirichlet(numpy.full(classes, 0.7), items), 6)
    probabilities[:, -1] = 1 - probabilities[:, :-1].sum(axis=1)
    probabilities = numpy.clip(probabilities, 0, 1)
    labels = numpy.where(random.random(items) < 0.7, probabilities.argmax(axis=1), random.integers(0, classes, items))
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    edges = numpy.linspace(0, 1, 16)
    error = sum(abs(right[inside].mean() - confidence[inside].mean()) * inside.mean()
                for low, high in zip(edges, edges[1:]) for inside in [(confidence > low) & (confidence <= high)] if inside.any())
    cases.append({"labels": labels.tolist(), "probabilities": probabilities.tolist(), "logLoss": log_loss(labels, probabilities, labels=range(classes)),
                  "expectedCalibrationError": error, **({"brier": brier_score_loss(labels, probabilities[:, 1])} if classes == 2 else {})})
json.dump({"cases": cases}, open("calibration.json", "w"), separators=(",", ":"))
