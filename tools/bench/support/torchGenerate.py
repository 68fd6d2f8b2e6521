# Decoding by torch with a key-value cache, random weights: a line "batch steps" on stdin, the seconds of each step on stdout. argv: the shape as JSON, threads, processor or clock.
import json, sys, time
import torch
import torch.nn.functional as F
config, threads = json.loads(sys.argv[1]), int(sys.argv[2])
torch.set_num_threads(threads)
now = time.process_time if sys.argv[3] == "processor" else time.perf_counter
h, heads, kv, d, ff, vocab = (config[name] for name in ("hiddenSize", "numHeads", "numKvHeads", "headDim", "intermediateSize", "vocabSize"))
weight = lambda *shape: (torch.rand(shape) - 0.5) * 0.1
layers = [[weight(heads * d, h), weight(kv * d, h), weight(kv * d, h), weight(h, heads * d), weight(ff, h), weight(ff, h), weight(h, ff)] for _ in range(config["numLayers"])]
embed, head = weight(vocab, h), weight(vocab, h)
norm = lambda x: x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)

def rotate(x, position):
    angle = position * config["ropeTheta"] ** (-torch.arange(d // 2) / (d / 2))
    a, b = x.chunk(2, -1)
    return torch.cat([a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin()], -1)

@torch.no_grad()
def steps(batch, count):
    caches = [[torch.empty(batch, kv, 0, d), torch.empty(batch, kv, 0, d)] for _ in layers]
    ids, seconds = torch.ones(batch, dtype=torch.long), []
    for position in range(count):
        begun, x = now(), embed[ids]
        for cache, (wq, wk, wv, wo, gate, up, down) in zip(caches, layers):
            n = norm(x)
            q, k, v = (F.linear(n, w).view(batch, -1, 1, d) for w in (wq, wk, wv))
            cache[0], cache[1] = torch.cat([cache[0], rotate(k, position)], 2), torch.cat([cache[1], v], 2)
            keys, values = (c.repeat_interleave(heads // kv, 1) for c in cache)
            scores = torch.softmax(rotate(q, position) @ keys.transpose(-1, -2) * d**-0.5, -1)
            x = x + F.linear((scores @ values).reshape(batch, heads * d), wo)
            n = norm(x)
            x = x + F.linear(F.silu(F.linear(n, gate)) * F.linear(n, up), down)
        ids = torch.multinomial(torch.softmax(F.linear(norm(x), head), -1), 1)[:, 0]
        seconds.append(now() - begun)
    return seconds

print(json.dumps(f"torch {torch.__version__}"), flush=True)
for line in sys.stdin:
    print(json.dumps(steps(*map(int, line.split()))), flush=True)
