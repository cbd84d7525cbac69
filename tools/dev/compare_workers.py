"""One engine of compare.py in a process of its own: KIND SETTING OPTIONS. Makes its model where it is missing, prints
a line of JSON {"version", "bytes"} or {"error"}, then answers {"do": "decode"|"prefill"} with {"seconds"}: of one
token at the context, averaged over the steps, or of the whole prompt. Weights are random: speed does not depend on
them."""
import ctypes
import importlib.metadata
import json
import os
import subprocess
import sys
import time

# layers, hidden, heads, kv heads, head dim, intermediate, vocabulary: those of qopt --synthetic
SHAPES = {
    "qwen2.5-0.5b": (24, 896, 14, 2, 64, 4864, 151936),
    "qwen2.5-1.5b": (28, 1536, 12, 2, 128, 8960, 151936),
}


class Qopt:
    """Whole model through libqrt."""

    class EngineOptions(ctypes.Structure):
        _fields_ = [("struct_size", ctypes.c_size_t), ("threads", ctypes.c_int32), ("kv_type", ctypes.c_int32),
                    ("max_context", ctypes.c_int64), ("prefill_chunk", ctypes.c_int64), ("max_memory", ctypes.c_int64)]

    class Chunk(ctypes.Structure):
        _fields_ = [("sequence", ctypes.c_int32), ("logits", ctypes.c_int32),
                    ("tokens", ctypes.POINTER(ctypes.c_int32)), ("count", ctypes.c_int64)]

    def __init__(self, setting, options):
        setting, _, isa = setting.partition("/")
        if isa:
            os.environ["QRT_ISA"] = isa
        path = os.path.join(options["folder"], options["shape"] + "-" + setting + ".qmod")
        if not os.path.exists(path):
            subprocess.run([os.path.join(options["build"], "bin/qopt"), "--synthetic", options["shape"], "--" + setting, "-o",
                            path, "--quiet"], check=True, stdout=subprocess.DEVNULL)
        self.lib = ctypes.CDLL(os.path.join(options["build"], "lib/libqrt.so"))
        self.lib.qrt_last_error.restype = self.lib.qrt_version.restype = ctypes.c_char_p
        self.version, self.bytes = self.lib.qrt_version().decode(), os.path.getsize(path)
        model, self.engine = ctypes.c_void_p(), ctypes.c_void_p()
        self.check(self.lib.qrt_model_load(path.encode(), 0, ctypes.byref(model)))
        settings = self.EngineOptions(ctypes.sizeof(self.EngineOptions), options["threads"], 1, 0, options["prefill"], 0)
        self.check(self.lib.qrt_engine_create(model, ctypes.byref(settings), ctypes.byref(self.engine)))
        self.sequence = ctypes.c_int32()
        self.check(self.lib.qrt_sequence_add(self.engine, ctypes.byref(self.sequence)))

    def check(self, code):
        if code:
            raise RuntimeError(self.lib.qrt_last_error().decode())

    def step(self, tokens):
        ids = (ctypes.c_int32 * len(tokens))(*tokens)
        chunk = self.Chunk(self.sequence, 1, ids, len(tokens))
        self.check(self.lib.qrt_step(self.engine, ctypes.byref(chunk), ctypes.c_size_t(1), None, None))

    def truncate(self, length):
        self.check(self.lib.qrt_sequence_truncate(self.engine, self.sequence, ctypes.c_int64(length)))


class NativeLlama:
    """llama.cpp as llama-cpp-python compiled it for this processor."""

    def __init__(self):
        import llama_cpp
        self.lib, self.version = llama_cpp, "llama-cpp-python " + importlib.metadata.version("llama-cpp-python")
        self.quiet = llama_cpp.llama_log_callback(lambda *_: None) # kept alive
        llama_cpp.llama_log_set(self.quiet, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()

    def quantize(self, source, path, ftype, threads):
        params = self.lib.llama_model_quantize_default_params()
        params.ftype, params.nthread = ftype, threads
        if self.lib.llama_model_quantize(source.encode(), path.encode(), ctypes.byref(params)):
            raise RuntimeError("llama_model_quantize failed")

    def load(self, path, context, batch, threads):
        model = self.lib.llama_model_load_from_file(path.encode(), self.lib.llama_model_default_params())
        params = self.lib.llama_context_default_params()
        params.n_ctx, params.n_batch, params.n_ubatch = context, batch, batch
        params.n_threads = params.n_threads_batch = threads
        self.context = self.lib.llama_init_from_model(model, params) if model else None
        if not self.context:
            raise RuntimeError("llama.cpp cannot load " + path)

    def decode(self, ids, position):
        tokens = (self.lib.llama_token * len(ids))(*ids) # the batch points into it
        batch = self.lib.llama_batch_get_one(tokens, len(ids))
        if self.lib.llama_decode(self.context, batch):
            raise RuntimeError("llama_decode failed")
        self.lib.llama_get_logits_ith(self.context, -1) # waits

    def forget(self, length):
        self.lib.llama_memory_seq_rm(self.lib.llama_get_memory(self.context), 0, length, -1)


class PrebuiltLlama:
    """llama.cpp as the wheel cyllama has it: compiled for AVX2."""

    def __init__(self):
        from cyllama.llama import llama_cpp
        self.lib = llama_cpp
        self.version = "cyllama %s, built for AVX2" % importlib.metadata.version("cyllama")
        llama_cpp.disable_logging()
        llama_cpp.llama_backend_init()

    def quantize(self, source, path, ftype, threads):
        params = self.lib.LlamaModelQuantizeParams()
        params.ftype, params.nthread = ftype, threads
        self.lib.model_quantize(source, path, params)

    def load(self, path, context, batch, threads):
        self.model = self.lib.LlamaModel(path)
        params = self.lib.LlamaContextParams()
        params.n_ctx, params.n_batch, params.n_ubatch = context, batch, batch
        params.n_threads = params.n_threads_batch = threads
        self.context = self.lib.LlamaContext(self.model, params)

    def decode(self, ids, position):
        batch = self.lib.LlamaBatch(n_tokens=len(ids), embd=0, n_seq_max=1)
        for index, token in enumerate(ids):
            batch.add(token, position + index, [0], index + 1 == len(ids))
        self.context.decode(batch)
        self.context.synchronize()

    def forget(self, length):
        self.context.memory_seq_rm(0, length, -1)


class Llama:
    """Whole model: a GGUF of random weights, quantized by llama.cpp itself."""

    def __init__(self, setting, options):
        try:
            self.api = NativeLlama()
        except ImportError:
            self.api = PrebuiltLlama()
        path = os.path.join(options["folder"], options["shape"] + "-" + setting + ".gguf")
        if not os.path.exists(path):
            source = os.path.join(options["folder"], options["shape"] + "-f16.gguf")
            if not os.path.exists(source):
                write_gguf(source, SHAPES[options["shape"]])
            self.api.quantize(source, path, {"q4_0": 2, "q8_0": 7, "q4_k_m": 15}[setting], options["threads"])
        self.version, self.bytes = self.api.version, os.path.getsize(path)
        context = options["context"] + options["prefill"] + options["steps"] + 64
        self.api.load(path, context, options["prefill"], options["threads"])
        self.length = 0

    def step(self, tokens):
        self.api.decode(tokens, self.length)
        self.length += len(tokens)

    def truncate(self, length):
        self.api.forget(length)
        self.length = length


def write_gguf(path, shape):
    import gguf
    import numpy
    layers, hidden, heads, kv_heads, dim, ffn, vocab = shape
    random = numpy.random.default_rng(1)
    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_block_count(layers)
    writer.add_context_length(32768)
    writer.add_embedding_length(hidden)
    writer.add_feed_forward_length(ffn)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_rope_freq_base(1e6)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_vocab_size(vocab)
    writer.add_tokenizer_model("none")
    writer.add_file_type(1)

    def matrix(name, rows, columns):
        weights = random.random((rows, columns), dtype=numpy.float32)
        weights = (weights - 0.5) * numpy.float32((12 / columns) ** 0.5) # of variance 1 / columns
        writer.add_tensor(name, weights.astype(numpy.float16))

    def vector(name, size, mean):
        writer.add_tensor(name, (mean + 0.05 * random.standard_normal(size)).astype(numpy.float32))

    matrix("token_embd.weight", vocab, hidden)
    vector("output_norm.weight", hidden, 1)
    for layer in range(layers):
        prefix = "blk.%d." % layer
        vector(prefix + "attn_norm.weight", hidden, 1)
        vector(prefix + "ffn_norm.weight", hidden, 1)
        for name, rows in (("attn_q", heads * dim), ("attn_k", kv_heads * dim), ("attn_v", kv_heads * dim)):
            matrix(prefix + name + ".weight", rows, hidden)
            vector(prefix + name + ".bias", rows, 0)
        matrix(prefix + "attn_output.weight", hidden, heads * dim)
        matrix(prefix + "ffn_gate.weight", ffn, hidden)
        matrix(prefix + "ffn_up.weight", ffn, hidden)
        matrix(prefix + "ffn_down.weight", hidden, ffn)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


class Linears:
    """Calls with [tokens, hidden]; nothing depends on a context."""

    length = 0

    def step(self, tokens):
        self.call(len(tokens))
        self.length += len(tokens)

    def truncate(self, length):
        self.length = length


def linear_plan(shape):
    """(rows, columns) of the linears of one layer, as one chain: each takes the first columns of what came before."""
    layers, hidden, heads, kv_heads, dim, ffn, vocab = shape
    layer = [((heads + 2 * kv_heads) * dim, hidden), (hidden, heads * dim), (2 * ffn, hidden), (hidden, ffn)]
    return layers, layer, (vocab, hidden)


class OnnxRuntime(Linears):
    """MatMulNBits in groups of 128, the head in 8 bits, as qopt has it; only the last token reaches the head."""

    def __init__(self, setting, options):
        import numpy
        import onnx
        import onnxruntime
        from onnx import TensorProto, helper, numpy_helper
        layers, layer, head = linear_plan(SHAPES[options["shape"]])
        random = numpy.random.default_rng(1)
        nodes, constants, self.bytes = [], [], 0

        def constant(name, value):
            constants.append(numpy_helper.from_array(value, name))
            return name

        def linear(x, name, rows, columns, bits):
            blocks = (columns + 127) // 128
            packed = random.integers(0, 256, (rows, blocks, 128 * bits // 8), dtype=numpy.uint8)
            scales = numpy.full(rows * blocks, 0.01, dtype=numpy.float32)
            self.bytes += packed.nbytes + scales.nbytes
            nodes.append(helper.make_node("MatMulNBits", [x, constant(name + ".w", packed), constant(name + ".s", scales)],
                                          [name], domain="com.microsoft", K=columns, N=rows, bits=bits, block_size=128,
                                          accuracy_level=int(setting)))
            return name

        def columns_of(x, name, columns):
            bounds = [constant("%s.%s" % (name, part), numpy.array([value], dtype=numpy.int64))
                      for part, value in (("from", 0), ("to", columns), ("axis", 1))]
            nodes.append(helper.make_node("Slice", [x] + bounds, [name]))
            return name

        x, width = "x", layer[0][1]
        for number in range(layers):
            for index, (rows, columns) in enumerate(layer):
                name = "l%d_%d" % (number, index)
                if width != columns:
                    x = columns_of(x, name + "_in", columns)
                x, width = linear(x, name, rows, columns, 4), rows
        last = [constant("last." + part, numpy.array([value], dtype=numpy.int64))
                for part, value in (("from", -1), ("to", 2**31), ("axis", 0))]
        nodes.append(helper.make_node("Slice", [x] + last, ["last"]))
        linear("last", "logits", head[0], head[1], 8)
        graph = helper.make_graph(nodes, "linears", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["T", layer[0][1]])],
                                  [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, head[0]])], constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)],
                                  ir_version=10)
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = options["threads"]
        settings.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(model.SerializeToString(), settings, providers=["CPUExecutionProvider"])
        self.version = onnxruntime.__version__
        self.input = lambda tokens: numpy.zeros((tokens, layer[0][1]), dtype=numpy.float32) + 0.5

    def call(self, tokens):
        self.session.run(None, {"x": self.input(tokens)})


class OpenVino(Linears):
    """Decompression of u4 constants in groups of 128 before MatMul, which the CPU plugin fuses; the head in u8."""

    def __init__(self, setting, options):
        import numpy
        import openvino
        from openvino import opset13 as ops
        layers, layer, head = linear_plan(SHAPES[options["shape"]])
        random = numpy.random.default_rng(1)
        self.bytes = 0
        self.kept = [] # constants borrow the memory of their arrays

        def linear(x, rows, columns, bits):
            groups = columns // 128 if bits == 4 and columns % 128 == 0 else 1
            shape = [rows, groups, columns // groups]
            codes = random.integers(0, 256, rows * columns * bits // 8, dtype=numpy.uint8)
            self.kept.append(codes)
            kind = openvino.Type.u4 if bits == 4 else openvino.Type.u8
            weights = ops.constant(openvino.Tensor(codes, openvino.Shape(shape), kind))
            zero = ops.constant(numpy.full([rows, groups, 1], 1 << (bits - 1), dtype=numpy.float16))
            scale = ops.constant(numpy.full([rows, groups, 1], 0.01, dtype=numpy.float16))
            self.bytes += codes.nbytes + 2 * rows * groups
            dense = ops.multiply(ops.subtract(ops.convert(weights, "f16"), zero), scale)
            dense = ops.reshape(dense, ops.constant(numpy.array([rows, columns], dtype=numpy.int64)), False)
            return ops.matmul(x, ops.convert(dense, "f32"), False, True)

        def part(x, start, stop, axis):
            numbers = [ops.constant(numpy.array([n], dtype=numpy.int64)) for n in (start, stop, 1, axis)]
            return ops.slice(x, *numbers)

        parameter = ops.parameter([-1, layer[0][1]], numpy.float32)
        x, width = parameter, layer[0][1]
        for _ in range(layers):
            for rows, columns in layer:
                if width != columns:
                    x = part(x, 0, columns, 1)
                x, width = linear(x, rows, columns, 4), rows
        logits = linear(part(x, -1, 2**31, 0), head[0], head[1], 8)
        core = openvino.Core()
        self.model = core.compile_model(openvino.Model([logits], [parameter]), "CPU", {
            "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": options["threads"], "NUM_STREAMS": 1,
            "DYNAMIC_QUANTIZATION_GROUP_SIZE": {"a8": 32, "a16": 0}[setting]}) # 0: in the precision of inference
        self.request = self.model.create_infer_request()
        self.version = importlib.metadata.version("openvino")
        self.input = lambda tokens: numpy.zeros((tokens, layer[0][1]), dtype=numpy.float32) + 0.5

    def call(self, tokens):
        self.request.infer({0: self.input(tokens)})


def measure(engine, what, options):
    """Seconds per token at the context, or of the prompt."""
    vocabulary = SHAPES[options["shape"]][6]
    ids = [(7 + 7919 * i) % vocabulary for i in range(max(options["context"], options["prefill"]))]
    engine.truncate(0)
    if what == "prefill":
        start = time.perf_counter()
        engine.step(ids[:options["prefill"]])
        return time.perf_counter() - start
    engine.step(ids[:options["context"]])
    engine.step(ids[:1]) # warms up
    start = time.perf_counter()
    for i in range(options["steps"]):
        engine.step(ids[i + 1:i + 2])
    return (time.perf_counter() - start) / options["steps"]


def main():
    kind, setting, options = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    try:
        if options["shape"] not in SHAPES:
            raise RuntimeError("unknown shape " + options["shape"])
        engine = {"qopt": Qopt, "llama": Llama, "onnxruntime": OnnxRuntime, "openvino": OpenVino}[kind](setting, options)
        print(json.dumps({"version": engine.version, "bytes": engine.bytes}), flush=True)
        for line in sys.stdin:
            print(json.dumps({"seconds": measure(engine, json.loads(line)["do"], options)}), flush=True)
    except Exception as error: # reported in the table
        print(json.dumps({"error": "%s: %s" % (type(error).__name__, " ".join(str(error).split()))}), flush=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
