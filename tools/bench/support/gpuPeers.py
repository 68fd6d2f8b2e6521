# cuBLAS and scaled-dot-product attention on the same card: reads one case a line (JSON), answers {"seconds"} or {"error"}; the first line says what there is.
import json
import sys
import time


def main():
    try:
        import torch
    except ImportError as error:
        return print(json.dumps({"error": f"no torch: {error}"}), flush=True)
    if not torch.cuda.is_available():
        return print(json.dumps({"error": "torch without CUDA"}), flush=True)
    torch.backends.cuda.matmul.allow_tf32 = False
    print(json.dumps({"torch": torch.__version__, "cuda": torch.version.cuda, "device": torch.cuda.get_device_name(0)}), flush=True)
    for line in sys.stdin:
        try:
            answer = {"seconds": measure(torch, prepare(torch, json.loads(line)))}
        except Exception as error:  # a case that does not fit must not end the others
            answer = {"error": str(error).split("\n")[0]}
        torch.cuda.empty_cache()
        print(json.dumps(answer), flush=True)


def prepare(torch, case):
    if case["kind"] == "gemm":
        dtype = getattr(torch, case["dtype"])
        x = torch.randn(case["m"], case["k"], device="cuda", dtype=dtype)
        weight = torch.randn(case["n"], case["k"], device="cuda", dtype=dtype)
        return lambda: torch.nn.functional.linear(x, weight)
    shape = (1, case["heads"], case["tokens"], case["headDim"])
    backward = case["pass"] != "forward"
    query, key, value = (torch.randn(shape, device="cuda", dtype=getattr(torch, case["dtype"]), requires_grad=backward) for _ in range(3))

    def run():  # without ALiBi, which would take a matrix of scores
        output = torch.nn.functional.scaled_dot_product_attention(query, key, value)
        if backward:
            output.backward(output.detach())

    return run


def measure(torch, run):
    run()
    torch.cuda.synchronize()
    runs = 1
    while True:
        begun = time.perf_counter()
        for _ in range(runs):
            run()
        torch.cuda.synchronize()
        seconds = time.perf_counter() - begun
        if seconds > 0.3 or runs >= 1000:
            return seconds / runs
        runs = min(1000, max(runs + 1, int(runs * 0.4 / max(seconds, 1e-6))))


main()
