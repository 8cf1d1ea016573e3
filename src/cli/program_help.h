// What `imgmill --help` says, and its parts, for the manual page that says the same.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace imgmill {

struct ExitCodeRow {
  int code;
  std::string_view meaning;
};

/// All exit codes, the way a user reads them.
std::span<const ExitCodeRow> ExitCodes();

inline constexpr char kProgramSummary[] =
    "process image datasets within a memory budget, with every image accounted for";
inline constexpr char kProgramExamples[] =
    "  imgmill dedup photos\n"
    "  imgmill upscale photos -o large --method lanczos3 --scale 2 --memory 512MiB\n"
    "  imgmill run pipeline.yaml\n";

/// The whole text, with a row a command.
std::string ProgramHelp();

}  // namespace imgmill
