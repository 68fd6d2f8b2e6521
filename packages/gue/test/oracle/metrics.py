"""Reads lists of labels, predictions, scores and probabilities from stdin and writes what scikit-learn, scipy and statsmodels make of them."""
import json, sys
import numpy
from scipy import stats
from sklearn import metrics
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import ttost_paired


def classification(labels, predicted):
    average = {name: function(labels, predicted, average=kind, zero_division=0) for name, function, kind in (
        ("f1Macro", metrics.f1_score, "macro"), ("f1Micro", metrics.f1_score, "micro"), ("f1Weighted", metrics.f1_score, "weighted"),
        ("precisionMacro", metrics.precision_score, "macro"), ("recallMacro", metrics.recall_score, "macro"))}
    return {"mcc": metrics.matthews_corrcoef(labels, predicted), "accuracy": metrics.accuracy_score(labels, predicted), **average}


cases = json.load(sys.stdin)
json.dump({
    "classification": [classification(c["labels"], c["predicted"]) for c in cases["classification"]],
    "ranked": [{"auroc": metrics.roc_auc_score(c["labels"], c["scores"]), "auprc": metrics.average_precision_score(c["labels"], c["scores"]),
                "brier": metrics.brier_score_loss(c["labels"], c["scores"]), "logLoss": metrics.log_loss(c["labels"], [[1 - s, s] for s in c["scores"]])} for c in cases["ranked"]],
    "paired": [{"tost": ttost_paired(numpy.array(c["a"], float), numpy.array(c["b"], float), -c["margin"], c["margin"])[0],
                "mcnemar": mcnemar([[0, c["onlyA"]], [c["onlyB"], 0]], exact=True).pvalue} for c in cases["paired"]],
    "families": [stats.wilcoxon(c, mode="exact").pvalue for c in cases["families"]],
    "corrected": [{name: multipletests(c, method=method)[1].tolist() for name, method in (("holm", "holm"), ("bh", "fdr_bh"), ("by", "fdr_by"))} for c in cases["corrected"]],
}, sys.stdout)
