// Fuzzes reports that are read back, and the page that is drawn from them.
#include "imgmill/report/stored_report.h"

#include "fuzz/input_file.h"
#include "imgmill/report/memory_page.h"

using namespace imgmill;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  const Result<StoredReport> report = ReadReport(fuzz::InputFilePath(data, bytes));
  if (report) MemoryPageHtml(*report, "report.json");
  return 0;
}
