// A command that works on no images: undo, memory, doctor, models, report, verify, explain. It has flags of
// its own and an exit code.
#pragma once

#include <memory>

#include "imgmill/base/error.h"

namespace CLI {
class App;
}

namespace imgmill {

class Tool {
 public:
  virtual ~Tool() = default;
  virtual ExitCode Run() = 0;
};

/// Each declares its flags; Run is called after they were parsed.
std::unique_ptr<Tool> AddUndo(CLI::App& app);
std::unique_ptr<Tool> AddCatalog(CLI::App& app);
std::unique_ptr<Tool> AddMemory(CLI::App& app);
std::unique_ptr<Tool> AddDoctor(CLI::App& app);
std::unique_ptr<Tool> AddModels(CLI::App& app);
std::unique_ptr<Tool> AddReport(CLI::App& app);
std::unique_ptr<Tool> AddVerify(CLI::App& app);
std::unique_ptr<Tool> AddExplain(CLI::App& app);

}  // namespace imgmill
