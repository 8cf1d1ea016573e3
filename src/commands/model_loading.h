// Reading a model's file, as work that a refused allocation does not end.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/try.h"
#include "imgmill/base/path_text.h"
#include "imgmill/commands/command.h"

namespace imgmill {

/// Digest of a weight file: the name by which a catalog knows the model.
Result<ContentDigest> DigestOfModel(const std::string& path);

/// Whether a model of this file's size can be held, beside LibTorch if that is mapped by now. kUsage, naming
/// the budget that it takes, if not.
Status RoomForModel(const CommandServices& services, const std::string& path);

/// Why a model whose loading ran out of memory does not fit. kUsage, naming the budget that it takes at most.
/// @param ran_out  what the allocator said
Error NoRoomForModel(const CommandServices& services, const std::string& path, const Error& ran_out);

/// Calls `load` under the ladder; an error names the file.
template <typename Model>
Result<std::shared_ptr<Model>> LoadGuarded(const CommandServices& services, const std::string& path,
                                           const std::function<Result<std::unique_ptr<Model>>()>& load) {
  ModelRuntime* const runtime = TRY(services.OpenModels());
  if (Status ready = runtime->Prepare(path); !ready) {
    Error error = ready.error();
    if (error.code != Code::kUsage) error.message = PrintablePath(path) + ": " + error.message;
    return error;
  }
  TRY(RoomForModel(services, path));
  class Loading final : public LadderWork {
   public:
    explicit Loading(const std::function<Result<std::unique_ptr<Model>>()>& load) : load_(load) {}
    Status Run(const Attempt&) override {
      std::unique_ptr<Model> loaded = TRY(load_());
      model = std::move(loaded);
      return {};
    }
    bool has_cpu_rung() const override { return false; }
    std::shared_ptr<Model> model;

   private:
    const std::function<Result<std::unique_ptr<Model>>()>& load_;
  };
  Loading loading(load);
  const LadderOutcome loaded = services.memory->Guarded(loading, kHostWork, *services.stop);
  if (loaded.status) return std::move(loading.model);
  Error error = loaded.status.error();
  if (error.code == Code::kOutOfMemory) return NoRoomForModel(services, path, error);
  error.message = PrintablePath(path) + ": " + error.message;
  return error;
}

/// Loads a model with room for it, or takes the one that an earlier step of the run has loaded.
/// @param purpose  see LoadedModels
template <typename Model>
Result<std::shared_ptr<Model>> LoadGuarded(const CommandServices& services, const std::string& path,
                                           const std::string& purpose,
                                           const std::function<Result<std::unique_ptr<Model>>()>& load) {
  if (services.loaded == nullptr) return LoadGuarded<Model>(services, path, load);
  if (std::shared_ptr<BatchModel> known = services.loaded->Find(path, purpose))
    return std::static_pointer_cast<Model>(std::move(known));
  std::shared_ptr<Model> model = TRY(LoadGuarded<Model>(services, path, load));
  services.loaded->Keep(path, purpose, model);
  return model;
}

}  // namespace imgmill
