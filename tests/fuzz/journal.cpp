// Fuzzes undo files: every line, and what the actions in them are.
#include <fcntl.h>

#include "dataset/journal_file.h"
#include "fuzz/input_file.h"

using namespace imgmill;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  Result<JournalFile> journal = JournalFile::Open(fuzz::InputFilePath(data, bytes));
  if (!journal) return 0;
  for (size_t id = 0; id < journal->size(); ++id) {
    fuzz::Require(journal->ActionAt(id).ok());
    fuzz::Require(journal->StartAt(id).ok());
  }
  if (journal->size() > 0) fuzz::Require(journal->AddDone(0).ok() && journal->Write().ok());
  return 0;
}
