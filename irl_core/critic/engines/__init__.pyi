from .cpu import CPUKVCache as CPUKVCache
from .gpu import GPUKVCache as GPUKVCache
from .openvino import OpenVINOKVCache as OpenVINOKVCache
from .openvino import OpenVINOModel as OpenVINOModel
