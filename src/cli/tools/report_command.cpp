// `imgmill report FILE`: draws a run's report as a page that opens from disk.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "cli/session/session.h"
#include "imgmill/base/path_text.h"
#include "imgmill/commands/flags.h"
#include "imgmill/dataset/publish.h"
#include "imgmill/report/memory_page.h"
#include "tool.h"

namespace imgmill {
namespace {

/// Beside the report, under a name that no report page has: "run.json" gives "run-memory.html".
std::string PageBeside(const std::string& report) {
  const std::string stem = report.ends_with(".json") ? report.substr(0, report.size() - 5) : report;
  return stem + "-memory.html";
}

/// Whether something stands there that is not ours to replace.
bool InTheWay(const std::string& path) {
  std::error_code none;
  if (!std::filesystem::exists(std::filesystem::symlink_status(path, none))) return false;
  if (!std::filesystem::is_regular_file(path, none)) return true;
  std::ifstream file(path, std::ios::binary);
  std::string beginning(512, '\0');
  file.read(beginning.data(), static_cast<std::streamsize>(beginning.size()));
  return !IsMemoryPage(beginning);
}

class ReportTool final : public Tool {
 public:
  explicit ReportTool(Flags& flags) {
    flags.Footer(
        "Example:\n"
        "  imgmill upscale photos -o large --method lanczos3 --report run.json\n"
        "  imgmill report run.json");
    flags.Add("report", report_, "What a run's --report wrote").Type("FILE.json").Required();
    flags.Add("-o,--output", output_, "The page; - is stdout [run.json gives run-memory.html]")
        .Type("FILE.html");
    flags.AddSwitch("--force", force_, "Replace a file that is not such a page");
  }

  ExitCode Run() override {
    const Result<StoredReport> report = ReadReport(report_);
    if (!report) return Complain(report_, report.error().message);
    const std::string page = MemoryPageHtml(*report, PrintablePath(report_));
    if (output_ == "-") return Print(page);
    const std::string output = output_.empty() ? PageBeside(report_) : output_;
    if (!force_ && InTheWay(output))
      return Complain(output,
                      "exists already and is not a page of this kind (choose another -o, or use --force)");
    if (const Status written = WriteNamedFile(output, page); !written) {
      std::fprintf(stderr, "imgmill: error: %s\n", Describe(output, written.error()).c_str());
      return ExitCodeFor(written.error());
    }
    return Print(PrintablePath(output) + "\n");
  }

 private:
  static ExitCode Complain(const std::string& path, const std::string& what) {
    std::fprintf(stderr, "imgmill: error: %s: %s\n", PrintablePath(path).c_str(), what.c_str());
    return ExitCode::kUsage;
  }

  std::string report_;
  std::string output_;
  bool force_ = false;
};

}  // namespace

std::unique_ptr<Tool> AddReport(Flags& flags) {
  return std::make_unique<ReportTool>(flags);
}

}  // namespace imgmill
