"""Losses and gradients of opt and bert as `wafersim run` trains them, against the models written down here in fp64, from the publications.

usage: families_test.py PROGRAM     exit 1 names what differs.
The gradient of a tensor is what a step of SGD at rate 1 takes from it; the loss's derivative along it, by central differences, is its norm.
"""
import json
import math
import os
import random
import struct
import subprocess
import sys
import tempfile

VOCABULARY, WIDTH, HEADS, INNER, LAYERS, POSITIONS, SEQUENCE, BATCH, SEED = 29, 8, 2, 12, 2, 8, 7, 3, 5
MASK = VOCABULARY - 1
LOSS_LIMIT, GRADIENT_LIMIT = 1e-6, 1e-5  # relative; of the largest norm


def philox(counter, key):
    """Philox 4x32-10."""
    words, (k0, k1) = list(counter), key
    for _ in range(10):
        p0, p1 = words[0] * 0xD2511F53, words[2] * 0xCD9E8D57
        words = [p1 >> 32 ^ words[1] ^ k0, p1 & 0xFFFFFFFF, p0 >> 32 ^ words[3] ^ k1, p0 & 0xFFFFFFFF]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return words


def hide(tokens):
    """Inputs and targets (None: not hidden) of step 0, by workloads/NUMERICS.md."""
    inputs, targets = list(tokens), [None] * len(tokens)
    for i, token in enumerate(tokens):
        chosen, replaced, word, _ = philox((i, 0, 0, 1 << 8), (SEED, 0))
        if chosen >= int(0.15 * 2**32):
            continue
        targets[i] = token
        if replaced < int(0.8 * 2**32):
            inputs[i] = MASK
        elif replaced < int(0.9 * 2**32):
            inputs[i] = word * VOCABULARY >> 32
    return inputs, targets


def linear(w, name, x):
    matrix, bias = w[name + ".weight"], w[name + ".bias"]
    return [[math.fsum(a * b for a, b in zip(row, token)) + bias[j] for j, row in enumerate(matrix)] for token in x]


def norm(w, name, x, epsilon):
    out = []
    for token in x:
        mean = sum(token) / len(token)
        scale = 1 / math.sqrt(sum((v - mean) ** 2 for v in token) / len(token) + epsilon)
        out.append([(v - mean) * scale * g + b for v, g, b in zip(token, w[name + ".weight"], w[name + ".bias"])])
    return out


def add(x, y):
    return [[a + b for a, b in zip(p, q)] for p, q in zip(x, y)]


def each(function, x):
    return [[function(v) for v in token] for token in x]


def gelu(v):
    return 0.5 * v * (1 + math.erf(v / math.sqrt(2)))


def attention(q, k, v, causal):
    size = WIDTH // HEADS
    out = [[0.0] * WIDTH for _ in q]
    for first in range(0, WIDTH, size):
        span = range(first, first + size)
        for n, query in enumerate(q):
            seen = range(n + 1) if causal else range(len(k))
            p = [math.exp(sum(query[f] * k[m][f] for f in span) / math.sqrt(size)) for m in seen]
            for f in span:
                out[n][f] = sum(weight * v[m][f] for weight, m in zip(p, seen)) / sum(p)
    return out


def opt(w, ids):
    x = [[a + b for a, b in zip(w["model.decoder.embed_tokens.weight"][token], w["model.decoder.embed_positions.weight"][n + 2])]
         for n, token in enumerate(ids)]
    for layer in range(LAYERS):
        at = f"model.decoder.layers.{layer}."
        y = norm(w, at + "self_attn_layer_norm", x, 1e-5)
        q, k, v = (linear(w, at + f"self_attn.{part}_proj", y) for part in "qkv")
        x = add(x, linear(w, at + "self_attn.out_proj", attention(q, k, v, True)))
        y = each(lambda v: max(v, 0.0), linear(w, at + "fc1", norm(w, at + "final_layer_norm", x, 1e-5)))
        x = add(x, linear(w, at + "fc2", y))
    x = norm(w, "model.decoder.final_layer_norm", x, 1e-5)
    return linear({"u.weight": w["model.decoder.embed_tokens.weight"], "u.bias": [0.0] * VOCABULARY}, "u", x)


def bert(w, ids):
    at = "bert.embeddings."
    x = [[a + b + c for a, b, c in zip(w[at + "word_embeddings.weight"][token], w[at + "position_embeddings.weight"][n],
                                       w[at + "token_type_embeddings.weight"][0])] for n, token in enumerate(ids)]
    x = norm(w, at + "LayerNorm", x, 1e-12)
    for layer in range(LAYERS):
        at = f"bert.encoder.layer.{layer}."
        q, k, v = (linear(w, at + f"attention.self.{part}", x) for part in ("query", "key", "value"))
        y = linear(w, at + "attention.output.dense", attention(q, k, v, False))
        x = norm(w, at + "attention.output.LayerNorm", add(x, y), 1e-12)
        y = linear(w, at + "output.dense", each(gelu, linear(w, at + "intermediate.dense", x)))
        x = norm(w, at + "output.LayerNorm", add(x, y), 1e-12)
    at = "cls.predictions."
    x = norm(w, at + "transform.LayerNorm", each(gelu, linear(w, at + "transform.dense", x)), 1e-12)
    return linear({"u.weight": w["bert.embeddings.word_embeddings.weight"], "u.bias": w[at + "bias"]}, "u", x)


def loss(model, w, inputs, targets):
    sums, count = [], 0
    for sample in range(BATCH):
        part = slice(sample * SEQUENCE, (sample + 1) * SEQUENCE)
        for logits, target in zip(model(w, inputs[part]), targets[part]):
            if target is not None:
                sums.append(math.log(sum(math.exp(v) for v in logits)) - logits[target])
                count += 1
    return math.fsum(sums) / count


def linears(names, sizes):
    return {name + end: shape for name, (out, into) in zip(names, sizes) for end, shape in ((".weight", (out, into)), (".bias", (out,)))}


def norms(*names):
    return {name + end: (WIDTH,) for name in names for end in (".weight", ".bias")}


def shapes(model):
    square, up, down = (WIDTH, WIDTH), (INNER, WIDTH), (WIDTH, INNER)
    if model is opt:
        out = {"model.decoder.embed_tokens.weight": (VOCABULARY, WIDTH), "model.decoder.embed_positions.weight": (POSITIONS + 2, WIDTH)}
        out.update(norms("model.decoder.final_layer_norm"))
        for layer in range(LAYERS):
            at = f"model.decoder.layers.{layer}."
            parts = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj", "fc1", "fc2"]
            out.update(linears([at + part for part in parts], [square] * 4 + [up, down]))
            out.update(norms(at + "self_attn_layer_norm", at + "final_layer_norm"))
        return out
    at = "bert.embeddings."
    out = {at + "word_embeddings.weight": (VOCABULARY, WIDTH), at + "position_embeddings.weight": (POSITIONS, WIDTH),
           at + "token_type_embeddings.weight": (2, WIDTH), "cls.predictions.bias": (VOCABULARY,)}
    out.update(linears(["cls.predictions.transform.dense"], [square]))
    out.update(norms(at + "LayerNorm", "cls.predictions.transform.LayerNorm"))
    for layer in range(LAYERS):
        at = f"bert.encoder.layer.{layer}."
        parts = ["attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense", "intermediate.dense", "output.dense"]
        out.update(linears([at + part for part in parts], [square] * 4 + [up, down]))
        out.update(norms(at + "attention.output.LayerNorm", at + "output.LayerNorm"))
    return out


def save(path, tensors, shape_of):
    header, data = {}, b""
    for name, flat in tensors.items():
        packed = struct.pack(f"<{len(flat)}f", *flat)
        header[name] = {"dtype": "F32", "shape": shape_of[name], "data_offsets": [len(data), len(data) + len(packed)]}
        data += packed
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def load(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    header.pop("__metadata__", None)
    span = {name: entry["data_offsets"] for name, entry in header.items()}
    return {name: struct.unpack(f"<{(end - begin) // 4}f", data[begin:end]) for name, (begin, end) in span.items()}


def nested(tensors, shape_of):
    """Matrices as lists of rows."""
    def rows(name, flat):
        width = shape_of[name][-1]
        return [flat[at:at + width] for at in range(0, len(flat), width)] if len(shape_of[name]) == 2 else flat
    return {name: rows(name, flat) for name, flat in tensors.items()}


def train(program, folder, config, weights, shape_of, tokens):
    save(os.path.join(folder, "initial.safetensors"), weights, shape_of)
    with open(os.path.join(folder, "tokens.bin"), "wb") as file:
        file.write(struct.pack(f"<{len(tokens)}H", *tokens))
    run = {"machine": "cs2", "machine_overrides": {"fabric.width": 4, "fabric.height": 6}, "model": {"config": config},
           "weights": {"initial": "initial.safetensors", "final": "final.safetensors"}, "data": {"tokens": "tokens.bin"},
           "training": {"batch": BATCH, "sequence": SEQUENCE, "steps": 1, "optimizer": {"kind": "sgd", "lr": 1.0}},
           "dtype": "fp32", "seed": SEED}
    with open(os.path.join(folder, "run.json"), "w", encoding="utf-8") as file:
        json.dump(run, file)
    subprocess.run([program, "run", "run.json", "--out", "out"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    with open(os.path.join(folder, "out/report.json"), encoding="utf-8") as file:
        report = json.load(file)
    if report["mapping"]["padding"]["token_slots"] == 0:
        sys.exit("no token is padding: nothing shows that padded keys are masked")
    return report["loss"][0], load(os.path.join(folder, "final.safetensors"))


def check(program, model, config, tokens, inputs, targets):
    shape_of, draw = shapes(model), random.Random(1)
    weights = {}
    for name, shape in shape_of.items():
        centre = 1.0 if "norm" in name.lower() and name.endswith("weight") else 0.0
        values = [centre + draw.gauss(0, 0.3) for _ in range(math.prod(shape))]
        weights[name] = struct.unpack(f"<{len(values)}f", struct.pack(f"<{len(values)}f", *values))
    with tempfile.TemporaryDirectory() as folder:
        got, after = train(program, folder, config, weights, shape_of, tokens)
    expected = loss(model, nested(weights, shape_of), inputs, targets)
    print(f"{model.__name__}: loss {got:.8f}, expected {expected:.8f}, relative {got / expected - 1:.1e}")
    good = abs(got - expected) < LOSS_LIMIT * expected
    gradients = {name: [a - b for a, b in zip(weights[name], after[name])] for name in weights}
    lengths = {name: math.sqrt(sum(g * g for g in gradient)) for name, gradient in gradients.items()}
    worst, largest = 0.0, max(lengths.values())
    for name, gradient in gradients.items():
        if ".k_proj.bias" in name or ".self.key.bias" in name:
            continue  # 0 but for rounding: the softmax does not see it
        if lengths[name] == 0:
            print(f"{model.__name__}: {name} has no gradient")
            good = False
            continue
        def along(step, name=name, gradient=gradient):
            moved = [v + step * g / lengths[name] for v, g in zip(weights[name], gradient)]
            return loss(model, nested({**weights, name: moved}, shape_of), inputs, targets)
        measured = (along(1e-4) - along(-1e-4)) / 2e-4
        error = abs(measured - lengths[name]) / largest
        worst = max(worst, error)
        if error > GRADIENT_LIMIT:
            print(f"{model.__name__}: {name}: gradient of norm {lengths[name]:.6f}, derivative along it {measured:.6f}")
            good = False
    print(f"{model.__name__}: gradients within {worst:.1e} of the largest")
    return good


def main():
    program = os.path.abspath(sys.argv[1])
    stream = [(k * k + 3 * k) % (VOCABULARY - 1) for k in range(400)]
    starts = [sample * SEQUENCE for sample in range(BATCH)]
    inputs = [stream[start + n] for start in starts for n in range(SEQUENCE)]
    following = [stream[start + n + 1] for start in starts for n in range(SEQUENCE)]
    common = {"num_hidden_layers": LAYERS, "hidden_size": WIDTH, "num_attention_heads": HEADS, "max_position_embeddings": POSITIONS,
              "vocab_size": VOCABULARY}
    good = check(program, opt, {"model_type": "opt", "ffn_dim": INNER, **common}, stream, inputs, following)
    hidden, targets = hide(inputs)
    good &= check(program, bert, {"model_type": "bert", "intermediate_size": INNER, **common}, stream, hidden, targets)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
