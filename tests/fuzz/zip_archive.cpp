// Fuzzes the ZIP archives that torch.save writes: directory, entries, checksums.
#include "networks/weights/zip_archive.h"

#include "fuzz/weights_memory.h"

using namespace imgmill;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  const fuzz::WeightsMemory memory(bytes);
  Result<WeightFile> file = WeightFile::Open(fuzz::InputFilePath(data, bytes));
  fuzz::Require(file.ok());
  const Result<ZipDirectory> directory = ReadZipDirectory(*file);
  if (!directory) return 0;
  for (const auto& [name, entry] : *directory) {
    const Result<uint64_t> offset = LocateZipData(*file, name, entry);
    if (!offset) continue;
    fuzz::Require(*offset <= bytes && entry.bytes <= bytes - *offset);
    (void)VerifyZipData(*file, name, entry, *offset);
  }
  return 0;
}
