// From the objects of a checkpoint's pickle to a state dict: which dict it is, and where its tensors' bytes
// lie.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "networks/weights/pickle.h"
#include "networks/weights/weight_file.h"

namespace imgmill {

/// Where a storage's elements stand in the file.
struct StorageLocation {
  uint64_t offset = 0;
  int64_t elements = 0;
};

/// Locates (and, where the format has checksums, verifies) the storage of this key and element type.
using LocateStorage = std::function<Result<StorageLocation>(const std::string& key, ElementType type)>;

/// Unwraps `root` (params_ema, params, state_dict, model), reads each tensor in it densely, drops `module.`
/// in front of all names. Entries that are no tensors are passed over.
/// @throws OutOfMemory
Result<StateDict> ReadCheckpointTensors(const std::shared_ptr<const WeightFile>& file,
                                        const PickleValue& root, const LocateStorage& locate);

/// Reads all tensors of a program's objects, each by its path: "visual.conv1.weight".
/// @throws OutOfMemory
Result<StateDict> ReadProgramTensors(const std::shared_ptr<const WeightFile>& file, const PickleValue& root,
                                     const LocateStorage& locate);

}  // namespace imgmill
