// A command that works on no images: undo, memory, doctor, models, report, verify, explain. It has flags of
// its own and an exit code.
#pragma once

#include <memory>
#include <string_view>

#include "cli/standard_output.h"
#include "imgmill/base/error.h"

namespace imgmill {

class Flags;

class Tool {
 public:
  virtual ~Tool() = default;
  virtual ExitCode Run() = 0;

 protected:
  /// Prints the text and what is in the buffer. @return `code`, or kCannot, which is said
  static ExitCode Print(std::string_view text, ExitCode code = ExitCode::kDone) {
    return PrintOrComplain(text, code);
  }
};

/// Each declares its flags; Run is called after they were parsed.
std::unique_ptr<Tool> AddUndo(Flags& flags);
std::unique_ptr<Tool> AddCatalog(Flags& flags);
std::unique_ptr<Tool> AddMemory(Flags& flags);
std::unique_ptr<Tool> AddDoctor(Flags& flags);
std::unique_ptr<Tool> AddModels(Flags& flags);
std::unique_ptr<Tool> AddReport(Flags& flags);
std::unique_ptr<Tool> AddVerify(Flags& flags);
std::unique_ptr<Tool> AddExplain(Flags& flags);

}  // namespace imgmill
