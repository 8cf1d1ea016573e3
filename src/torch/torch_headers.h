// The precompiled header of the files that use LibTorch: tensors and what computes with them. <torch/types.h>
// has training, modules and their serialization, too, of which the compiler instantiates a part in each file
// that includes it, used or not, precompiled or not: that took longer than everything else in the file.
#pragma once

#include <ATen/DeviceAccelerator.h>
#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/types.h>

#include <memory>
#include <string>
#include <vector>
