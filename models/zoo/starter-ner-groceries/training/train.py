"""Trains the tagger on generated queries and saves a PyTorch checkpoint.

Owns: the network's size, the loss and the schedule. Rows are made as they are needed, so
nothing is seen twice. Knows nothing of real queries, ONNX or the files that ship.
    python train.py            about 18 minutes on one idle core -> work/model.pt
"""
import time
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy
from transformers import BertConfig, BertForTokenClassification

from generate import Generator
from tokenization import CLS, PAD, SEP, TOKENS_MAX, PieceEncoder, load_vocabulary

SEED = 7
LABELS = ["O", "B-TYPE", "I-TYPE", "B-BRAND", "I-BRAND", "B-VOLUME", "I-VOLUME", "B-PERCENT", "I-PERCENT"]
STEPS = 4800
ROWS_PER_STEP = 128
# Rows are sorted by length inside a pool of this many steps: padding falls from 82 % to 19 %.
POOL_STEPS = 32
LEARNING_RATE_MAX = 1.5e-3
WARM_UP_STEPS = 300
# Pieces after the first tell the word's label too; they count less, since only the first is read.
WEIGHT_NEXT = 0.25
# Chance that the cutter passes over a piece: a slip cuts a word oddly, and so must training.
PIECE_DROP = 0.25
# The shipped weights are an average of the last steps (half-life about 350): steadier than any one.
AVERAGE_DECAY = 0.998
CHECKPOINT = Path(__file__).parent / "work" / "model.pt"


def build_model(pieces_count):
    config = BertConfig(
        vocab_size=pieces_count, hidden_size=160, num_hidden_layers=4, num_attention_heads=5, intermediate_size=480,
        max_position_embeddings=TOKENS_MAX, type_vocab_size=1, hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0, pad_token_id=PAD, initializer_range=0.05,
        id2label=dict(enumerate(LABELS)), label2id={label: i for i, label in enumerate(LABELS)})
    return BertForTokenClassification(config)


def encode_row(encoder, text, words):
    """(ids, labels, weights) of a generated row; a word's later pieces continue its span."""
    ids, labels, weights = [CLS], [0], [0.0]
    for start, end, label in words:
        pieces = encoder.encode(text[start:end])
        inside = "I-" + label[2:] if label != "O" else "O"
        ids += pieces
        labels += [LABELS.index(label)] + [LABELS.index(inside)] * (len(pieces) - 1)
        weights += [1.0] + [WEIGHT_NEXT] * (len(pieces) - 1)
    return ids[:TOKENS_MAX - 1] + [SEP], labels[:TOKENS_MAX - 1] + [0], weights[:TOKENS_MAX - 1] + [0.0]


def batches(generator, encoder):
    while True:
        rows = [encode_row(encoder, *generator.row()) for _ in range(POOL_STEPS * ROWS_PER_STEP)]
        rows.sort(key=lambda row: len(row[0]))
        groups = [rows[i:i + ROWS_PER_STEP] for i in range(0, len(rows), ROWS_PER_STEP)]
        generator.rng.shuffle(groups)
        for group in groups:
            longest = max(len(row[0]) for row in group)
            yield [torch.tensor([row[k] + [fill] * (longest - len(row[0])) for row in group])
                   for k, fill in enumerate((PAD, 0, 0.0))]


def learning_rate(step):
    if step < WARM_UP_STEPS:
        return LEARNING_RATE_MAX * step / WARM_UP_STEPS
    return LEARNING_RATE_MAX * max(0.01, 1 - (step - WARM_UP_STEPS) / (STEPS - WARM_UP_STEPS))


def train():
    torch.manual_seed(SEED)
    torch.set_num_threads(1)  # the machine has two cores and is shared
    vocabulary = load_vocabulary()
    generator = Generator(SEED)
    encoder = PieceEncoder(vocabulary, generator.rng, PIECE_DROP)
    model = build_model(len(vocabulary))
    average = {k: v.clone() for k, v in model.state_dict().items()}
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters", flush=True)
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.98), weight_decay=0.01)
    started, shown = time.time(), 0.0
    for step, (ids, labels, weights) in zip(range(1, STEPS + 1), batches(generator, encoder)):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step)
        logits = model(input_ids=ids, attention_mask=(ids != PAD).long()).logits
        losses = cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none", label_smoothing=0.02)
        loss = (losses * weights.flatten()).sum() / weights.sum()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        decay = min(AVERAGE_DECAY, step / (step + 10))
        for name, value in model.state_dict().items():
            average[name].lerp_(value, 1 - decay) if value.is_floating_point() else average[name].copy_(value)
        shown += loss.item()
        if step % 100 == 0:
            print(f"step {step} loss {shown / 100:.4f} seconds {time.time() - started:.0f}", flush=True)
            shown = 0.0
        if step % 1000 == 0 or step == STEPS:
            CHECKPOINT.parent.mkdir(exist_ok=True)
            torch.save(average, CHECKPOINT)


if __name__ == "__main__":
    train()
