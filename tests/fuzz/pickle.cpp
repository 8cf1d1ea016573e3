// Fuzzes the machine of the pickle protocol, and the tensors that its objects describe.
#include "networks/weights/pickle.h"

#include "fuzz/weights_memory.h"
#include "networks/weights/checkpoint_tensors.h"

using namespace imgmill;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  const fuzz::WeightsMemory memory(bytes);
  Result<WeightFile> opened = WeightFile::Open(fuzz::InputFilePath(data, bytes));
  fuzz::Require(opened.ok());
  const auto file = std::make_shared<const WeightFile>(*std::move(opened));
  // Every storage is the whole file.
  const LocateStorage locate = [&](const std::string&, ElementType type) -> Result<StorageLocation> {
    return StorageLocation{0, static_cast<int64_t>(bytes / ElementBytes(type))};
  };
  for (const PickleOf what : {PickleOf::kStateDict, PickleOf::kProgram}) {
    WeightCursor cursor(*file, 0, file->size());
    PickleReader reader(cursor, what);
    const Result<const PickleValue*> root = reader.Read();
    if (!root) continue;
    if (what == PickleOf::kProgram) {
      (void)ReadProgramTensors(file, **root, locate);
    } else {
      (void)ReadCheckpointTensors(file, **root, locate);
    }
  }
  return 0;
}
