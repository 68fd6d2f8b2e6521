"""Writes sklearn.json: classification metrics by scikit-learn 1.2.1 on random labels, as float64 with all digits. Run: python3 sklearn.py"""
import json
import numpy
from sklearn import metrics

random = numpy.random.default_rng(7)
cases = []
for classes in (2, 3, 9, 20, 25, 150):
    for items in (5, 37, 250):
        labels = random.integers(0, classes, items)
        predicted = numpy.where(random.random(items) < 0.6, labels, random.integers(0, classes, items))
        counts = metrics.confusion_matrix(labels, predicted, labels=range(classes))
        cases.append({
            "classes": classes,
            "cells": [[int(i), int(j), int(counts[i, j])] for i, j in zip(*counts.nonzero())],
            "mcc": metrics.matthews_corrcoef(labels, predicted),
            "accuracy": metrics.accuracy_score(labels, predicted),
            "f1Micro": metrics.f1_score(labels, predicted, average="micro"),
            **{name: function(labels, predicted, average=average, zero_division=0) for name, function, average in (
                ("f1Macro", metrics.f1_score, "macro"), ("f1Weighted", metrics.f1_score, "weighted"),
                ("precisionMacro", metrics.precision_score, "macro"), ("recallMacro", metrics.recall_score, "macro"))},
        })
ranked = []
for items in (5, 40, 300):
    for digits in (1, 2, 16):
        labels = random.permutation(numpy.arange(items) % 2)
        scores = numpy.round(random.normal(labels, 1.0), digits)
        ranked.append({"labels": labels.tolist(), "scores": scores.tolist(),
                       "auroc": metrics.roc_auc_score(labels, scores), "auprc": metrics.average_precision_score(labels, scores)})
json.dump({"cases": cases, "ranked": ranked}, open("sklearn.json", "w"), separators=(",", ":"))
