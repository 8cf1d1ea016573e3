// Fuzzes whole weight files of any format, told apart by their content as every command does it.
#include "fuzz/weights_memory.h"
#include "networks/weights/state_dict.h"

using namespace imgmill;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  const fuzz::WeightsMemory memory(bytes);
  const Result<StateDict> weights = ReadStateDict(fuzz::InputFilePath(data, bytes));
  if (!weights) return 0;
  for (const auto& [name, tensor] : weights->tensors) {
    const Result<Buffer> values = tensor.Values();
    fuzz::Require(values.ok() && values->size() == tensor.bytes());
  }
  return 0;
}
