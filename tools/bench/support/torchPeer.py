# The same work by numpy and torch, one thread. A line of JSON on stdin prepares a case, {"case", …}, or runs it, {"run": id}; a line on stdout answers.
import json, math, os, sys, time
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
import numpy as np
import torch
import torch.nn.functional as F
torch.set_num_threads(1)

def numbers(seed, shape, scale=0.5):
    mask, shift = np.uint64(0xFFFFFFFF), lambda h, by: h ^ (h >> np.uint64(by))
    h = (np.arange(int(np.prod(shape)), dtype=np.uint64) + np.uint64(seed * 0x9E3779B9 & 0xFFFFFFFF)) & mask
    h = (shift(h, 16) * np.uint64(0x21F0AAAD)) & mask
    h = (shift(h, 15) * np.uint64(0x735A2D97)) & mask
    return torch.from_numpy((((shift(h, 15) >> np.uint64(8)).astype(np.float64) / 2**23 - 1) * scale).astype(np.float32).reshape(shape))

def linear(m, k, n):
    x, weight = numbers(1, (m, k)).numpy(), numbers(2, (n, k)).numpy()
    return lambda: x @ weight.T

def attention(tokens, width, slope):
    query, key, value = (numbers(3, (tokens, 3, width)) * 1).unbind(1)
    place = torch.arange(tokens, dtype=torch.float32)
    bias = -slope * (place[:, None] - place[None, :]).abs()  # made once: it is not counted
    return lambda: torch.softmax(query @ key.T * width**-0.5 + bias, -1) @ value

def encoder(width, heads, inner, layers, vocab):
    seed = [0]
    def weight(*shape):
        seed[0] += 1
        return numbers(seed[0], shape, math.sqrt(6 / sum(shape))).requires_grad_(True)
    vector = lambda n, value=0.0: torch.full((n,), value, requires_grad=True)
    params = {"embedding": weight(vocab, width), "head": weight(vocab, width)}
    layer = lambda: [weight(3 * width, width), vector(3 * width), weight(width, width), vector(width), vector(width, 1.0), vector(width), weight(2 * inner, width), weight(width, inner), vector(width), vector(width, 1.0), vector(width)]
    params["layers"] = [layer() for _ in range(layers)]
    power = 2 ** math.floor(math.log2(heads))
    slope = lambda i, n: 2 ** (-8 * (i + 1) / n)
    slopes = torch.tensor([slope(i, power) if i < power else slope(2 * (i - power), 2 * power) for i in range(heads)])
    def forward(ids):
        batch, length = ids.shape
        place = torch.arange(length, dtype=torch.float32)
        bias = -slopes[:, None, None] * (place[:, None] - place[None, :]).abs()
        x = F.embedding(ids, params["embedding"])
        for qkv, qkv_bias, out, out_bias, norm, norm_bias, gated, wo, wo_bias, norm2, norm2_bias in params["layers"]:
            q, k, v = F.linear(x, qkv, qkv_bias).view(batch, length, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
            a = torch.softmax(q @ k.transpose(-1, -2) * (width // heads) ** -0.5 + bias, -1) @ v
            x = F.layer_norm(x + F.linear(a.transpose(1, 2).reshape(batch, length, width), out, out_bias), (width,), norm, norm_bias, 1e-12)
            gate, value = F.linear(x, gated).chunk(2, -1)
            x = F.layer_norm(x + F.linear(F.gelu(gate) * value, wo, wo_bias), (width,), norm2, norm2_bias, 1e-12)
        return x
    leaves = [params["embedding"], params["head"], *(t for own in params["layers"] for t in own)]
    return params, leaves, forward

def ids_of(sequences, length, vocab):
    return ((torch.arange(sequences * length) * 7919) % vocab).view(sequences, length)

def forward_pass(config, sequences, length):
    _, _, forward = encoder(**config)
    ids = ids_of(sequences, length, config["vocab"])
    def run():
        with torch.no_grad():
            return forward(ids)
    return run

def training_step(config, sequences, length):
    params, leaves, forward = encoder(**config)
    ids, tokens = ids_of(sequences, length, config["vocab"]), sequences * length
    labels = torch.tensor([-100 if i % 7 else i % config["vocab"] for i in range(tokens)])
    optimiser = torch.optim.AdamW(leaves, lr=1e-4, weight_decay=0.01)
    def run():
        optimiser.zero_grad(set_to_none=True)
        loss = F.cross_entropy(forward(ids).view(tokens, -1) @ params["head"].T, labels, reduction="sum") / tokens
        loss.backward()
        torch.nn.utils.clip_grad_norm_(leaves, 1.0)
        optimiser.step()
        return loss.detach()
    return run

cases, prepared = {"linear": linear, "attention": attention, "forward": forward_pass, "training": training_step}, []
print(json.dumps({"ready": f"torch {torch.__version__}, numpy {np.__version__}, one thread"}), flush=True)
for line in sys.stdin:
    message = json.loads(line)
    if "case" in message:
        name = message.pop("case")
        prepared.append(cases[name](**message))
        print(json.dumps({"id": len(prepared) - 1}), flush=True)
    else:
        begun = time.process_time()
        values = prepared[message["run"]]()
        seconds = time.process_time() - begun
        if message.get("last"):
            prepared[message["run"]] = None
        print(json.dumps({"values": [float(v) for v in np.asarray(values).reshape(-1)[:64]], "cpuSeconds": seconds}), flush=True)
