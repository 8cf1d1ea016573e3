// Reading a model's file, as work that a refused allocation does not end.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "imgmill/base/path_text.h"
#include "imgmill/commands/command.h"

namespace imgmill {

/// Whether a model of this file's size can be held beside LibTorch, which is mapped by now: its weights, and
/// the file while they are read. kUsage, naming the budget that it takes, if not.
Status RoomForModel(const CommandServices& services, const std::string& path);

/// Calls `load` under the ladder; an error names the file.
template <typename Model>
Result<std::unique_ptr<Model>> LoadGuarded(const CommandServices& services, const std::string& path,
                                           const std::function<Result<std::unique_ptr<Model>>()>& load) {
  if (Status room = RoomForModel(services, path); !room) return room.error();
  class Loading final : public LadderWork {
   public:
    explicit Loading(const std::function<Result<std::unique_ptr<Model>>()>& load) : load_(load) {}
    Status Run(const Attempt&) override {
      Result<std::unique_ptr<Model>> loaded = load_();
      if (!loaded) return loaded.error();
      model = *std::move(loaded);
      return {};
    }
    bool has_cpu_rung() const override { return false; }
    std::unique_ptr<Model> model;

   private:
    const std::function<Result<std::unique_ptr<Model>>()>& load_;
  };
  Loading loading(load);
  const LadderOutcome loaded = services.memory->Guarded(loading, kHostWork, *services.stop);
  if (loaded.status) return std::move(loading.model);
  Error error = loaded.status.error();
  error.message = PrintablePath(path) + ": " + error.message;
  return error;
}

}  // namespace imgmill
