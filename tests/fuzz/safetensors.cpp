// Fuzzes .safetensors files, and their header alone, whose sizes a fuzzer rarely gets right.
#include "fuzz/weights_memory.h"
#include "networks/weights/readers.h"
#include "networks/weights/safetensors_header.h"

using namespace imgmill;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  const fuzz::WeightsMemory memory(bytes);
  const std::string_view text(reinterpret_cast<const char*>(data), bytes);
  (void)ParseSafetensorsHeader(text, 24);
  Result<WeightFile> file = WeightFile::Open(fuzz::InputFilePath(data, bytes));
  fuzz::Require(file.ok());
  const Result<StateDict> weights = ReadSafetensors(std::make_shared<const WeightFile>(*std::move(file)));
  if (weights) (void)CheckFinite(*weights);
  return 0;
}
