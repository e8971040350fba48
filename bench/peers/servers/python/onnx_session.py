"""A session as every Python service here opens one: its threads counted, and none that spins."""
import onnxruntime as ort


def open_session(graph: str, threads: int = 1) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    # Several sessions share the cores: threads that spin would only starve each other.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
