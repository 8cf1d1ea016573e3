// Fuzzes the files of decisions that apply reads.
#include "commands/dedup/decisions_file.h"
#include "fuzz/input_file.h"

using namespace imgmill;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  (void)ReadDecisions(fuzz::InputFilePath(data, bytes), [](const DecidedGroup& group) {
    fuzz::Require(!group.duplicates.empty() && group.keep.path.starts_with('/'));
    return Status();
  });
  return 0;
}
