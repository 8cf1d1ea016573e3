// Finds the tensors of .safetensors files.
#include <algorithm>

#include "base/try.h"
#include "networks/weights/readers.h"
#include "networks/weights/safetensors_header.h"

namespace imgmill {

// The format's own limit, as its reference reader has it.
constexpr uint64_t kMostHeaderBytes = 100'000'000;

Result<StateDict> ReadSafetensors(const std::shared_ptr<const WeightFile>& file) {
  uint8_t length[8];
  TRY(file->ReadAt(0, length, sizeof length));
  uint64_t header_bytes = 0;
  for (int i = 7; i >= 0; --i) header_bytes = header_bytes << 8 | length[i];
  if (header_bytes > kMostHeaderBytes || header_bytes > file->size() - sizeof length) {
    return WeightError("the safetensors header claims " + std::to_string(header_bytes) +
                       " bytes, the file has " + std::to_string(file->size()) + " in all");
  }
  const uint64_t data_offset = sizeof length + header_bytes;

  SafetensorsHeader parsed_header;
  {
    Buffer header(std::max<size_t>(static_cast<size_t>(header_bytes), 1));
    const size_t bytes = static_cast<size_t>(header_bytes);
    TRY(file->ReadAt(sizeof length, header.data(), bytes));
    SafetensorsHeader parsed = TRY(ParseSafetensorsHeader(
        {reinterpret_cast<const char*>(header.data()), bytes}, file->size() - data_offset));
    parsed_header = std::move(parsed);
  }

  StateDict weights;
  weights.file = file;
  weights.metadata = std::move(parsed_header.metadata);
  for (SafetensorsEntry& entry : parsed_header.entries) {
    weights.tensors.emplace(std::move(entry.name), WeightTensor{.type = entry.type,
                                                                .shape = std::move(entry.shape),
                                                                .file = file,
                                                                .offset = data_offset + entry.begin});
  }
  return weights;
}

}  // namespace imgmill
