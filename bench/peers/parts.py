"""What is measured, in parts that are each interleaved in themselves and take less than five minutes.

A part says which model, which engines, which loads, which part of the texts, how many rounds, and about how long it
takes on two cores. bars.py compares only figures of one part. As a program this prints them.
"""
MPNET, MINILM = "all-mpnet-base-v2", "all-MiniLM-L6-v2"
MAX_TOKENS = {MPNET: 128, MINILM: 256}  # a text is cut there, in process
FULL = {MPNET: "full128", MINILM: "chunk"}  # the load whose texts fill that window
LOADS = {MPNET: ["short", "full128", "mixed"], MINILM: ["short", "full128", "chunk", "mixed"]}
SHARE = {MPNET: 0.25, MINILM: 1}

F32 = ["embedd-f32", "onnxruntime-f32", "openvino-f32", "torch-f32"]
NARROW = ["embedd-bf16", "embedd-int8", "onnxruntime-int8", "openvino-bf16"]
MORE = {MPNET: ["embedd-f32", "fastembed-f32", "torch-bf16"],
        MINILM: ["embedd-f32", "fastembed-f32", "torch-bf16", "llamacpp-f16", "llamacpp-q8_0"]}
ENGINES = sorted({*F32, *NARROW, *MORE[MINILM]})

# What limits an engine to a level: embedd itself; oneDNN, and so OpenVINO and torch (parts of these go their own ways)
LEVELS = {None: {}, "avx2": {"EMBEDD_CPU": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2",
                             "MKL_ENABLE_INSTRUCTIONS": "AVX2"}}


def speed(model, engines, minutes, level=None, rounds=3):
    return {"kind": "speed", "model": model, "engines": engines, "loads": LOADS[model], "share": SHARE[model],
            "rounds": rounds, "level": level, "minutes": minutes}


def other(kind, model, minutes, rounds=3, **more):
    return {"kind": kind, "model": model, "rounds": rounds, "level": None, "minutes": minutes, "share": 1, **more}


PARTS = {
    "mpnet-f32": speed(MPNET, F32, 4),
    "mpnet-narrow": speed(MPNET, NARROW, 2),
    "mpnet-avx2": speed(MPNET, ["embedd-f32", "openvino-f32"], 3, "avx2"),
    "mpnet-service": other("service", MPNET, 5),
    "mpnet-more": speed(MPNET, MORE[MPNET], 3, rounds=2),
    "minilm-f32": speed(MINILM, F32, 3),
    "minilm-narrow": speed(MINILM, NARROW, 2),
    "minilm-avx2": speed(MINILM, ["embedd-f32", "openvino-f32"], 2, "avx2"),
    "minilm-service": other("service", MINILM, 4),
    "minilm-more": speed(MINILM, MORE[MINILM], 4, rounds=2),
    "peak": other("peak", MPNET, 1),
    "tokenizers": other("tokenizers", None, 1),
    "mpnet-accuracy": other("accuracy", MPNET, 4, engines=["embedd-f32", *NARROW, "openvino-f32", "torch-bf16"]),
    "minilm-accuracy": other("accuracy", MINILM, 2, engines=["embedd-f32", *NARROW, "openvino-f32", *MORE[MINILM][1:]]),
}


def listing():
    lines = [f"{name:16} about {part['minutes']} min   {', '.join(part.get('engines', []))}".rstrip()
             for name, part in PARTS.items()]
    return "\n".join([*lines, f"all              about {sum(part['minutes'] for part in PARTS.values())} min"])


if __name__ == "__main__":
    print(listing())
