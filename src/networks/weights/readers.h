// The readers behind ReadStateDict, one a format.
#pragma once

#include <memory>
#include <string>

#include "networks/weights/state_dict.h"
#include "networks/weights/weight_file.h"

namespace imgmill {

/// safetensors: 8 bytes of header length (little-endian), a JSON header, then the tensors without gaps.
Result<StateDict> ReadSafetensors(const std::shared_ptr<const WeightFile>& file);

/// What torch.save writes since PyTorch 1.6: a ZIP archive of stored entries, one pickle among them. Of
/// TorchScript programs only those of CLIP with both its towers are read.
Result<StateDict> ReadZipCheckpoint(const std::shared_ptr<const WeightFile>& file);
/// Whether such an archive is a TorchScript program that ReadZipCheckpoint refuses.
Result<bool> HoldsProgram(const WeightFile& file);

/// What torch.save wrote before: five pickles one after another, then the storages.
Result<StateDict> ReadLegacyCheckpoint(const std::shared_ptr<const WeightFile>& file);

}  // namespace imgmill
