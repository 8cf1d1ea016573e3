// The embed command: runs the operation, exports what it gave, sums up.
#include "imgmill/commands/embed.h"

#include <CLI/CLI.hpp>

#include "base/try.h"
#include "embed_operation.h"
#include "imgmill/base/path_text.h"
#include "vector_export.h"

namespace imgmill {
namespace {

class EmbedRun final : public CommandRun {
 public:
  EmbedRun(const CommandServices& services, OpenedEmbedding opened, std::unique_ptr<VectorExport> exported)
      : CommandRun(services),
        opened_(std::move(opened)),
        exported_(std::move(exported)),
        wants_files_(services.in_pipeline),
        operation_(*opened_.embedder, opened_.store, nullptr, services, /*needs_notes=*/false,
                   [this](EmbeddedImage& image) { Take(image); }) {}
  Operation& operation() override { return operation_; }

  Result<CommandResult> Reduce(CommandResult result) override {
    if (!status_) return status_.error();
    result.kept = embedded_;
    result.kept_images = count_;
    const RunCounts& counts = result.counts;
    if (counts.interrupted) return result;
    opened_.embedder->Describe(result.details);
    const int dimension = opened_.store.file ? opened_.store.file->dimension() : 0;
    result.details["dimension"] = dimension;
    result.summary = std::to_string(count_) + " vectors of " + std::to_string(dimension);
    if (counts.recalled > 0) result.summary += ", " + std::to_string(counts.recalled) + " known before";
    if (exported_) {
      TRY(exported_->Commit());
      nlohmann::ordered_json files = nlohmann::ordered_json::array();
      std::string lines;
      for (const std::string& file : exported_->files()) {
        files.push_back(PrintablePath(file));
        lines += PrintablePath(file) + "\n";
      }
      result.text = WholeText(std::move(lines));
      result.details["exported"] = std::move(files);
    }
    return result;
  }

 private:
  void Take(EmbeddedImage& image) {
    if (exported_ && status_) {
      vector_.resize(static_cast<size_t>(image.vectors->dimension()));
      status_ = image.vectors->Read(image.place, vector_);
      if (status_) status_ = exported_->Add(image.file.path, image.content.Hex(), vector_);
    }
    ++count_;
    if (wants_files_) embedded_.Add(image.file);
  }

  OpenedEmbedding opened_;
  std::unique_ptr<VectorExport> exported_;
  FileTable embedded_;
  uint64_t count_ = 0;
  const bool wants_files_;
  Status status_;  // of the export: the vectors themselves are safe in the catalog
  std::vector<float> vector_;
  EmbedOperation operation_;
};

class Embed final : public Command {
 public:
  explicit Embed(CLI::App& app);

  std::optional<std::string> Check() const override { return options_.Check(); }
  std::optional<std::string> CheckAlone(const SharedOptions& shared) const override {
    if (!shared.no_catalog || !options_.export_file.empty()) return std::nullopt;
    return "with --no-catalog the vectors would be lost: give --export FILE";
  }
  std::string weight_file() const override { return options_.embedding.model; }
  std::string defaults_file() const override { return options_.embedding.defaults_file(); }

  Result<std::unique_ptr<CommandRun>> Begin(ItemSource&, const CommandServices& services) override {
    const SharedOptions& shared = *services.shared;
    OpenedEmbedding opened = TRY(OpenEmbedding(options_.embedding, services));
    std::unique_ptr<VectorExport> exported;
    if (!options_.export_file.empty() && shared.mode != RunMode::kRun) {
      TRY(VectorExport::MayCreate(options_.export_file, *services.catalog, shared.force));
    } else if (!options_.export_file.empty()) {
      std::unique_ptr<VectorExport> created =
          TRY(VectorExport::Create(options_.export_file, opened.embedder->kind(), services, shared.force));
      exported = std::move(created);
    }
    auto run = std::make_unique<EmbedRun>(services, std::move(opened), std::move(exported));
    run->options.workers = EmbeddingWorkers(options_.embedding, services);
    return std::unique_ptr<CommandRun>(std::move(run));
  }

 private:
  EmbedOptions options_;
};

Embed::Embed(CLI::App& app) {
  app.footer(
      "Example:\n"
      "  imgmill embed photos --export vectors.npy    the built-in descriptor: how an image looks\n"
      "  imgmill embed photos --model clip.safetensors    published weights, which define their input\n"
      "  imgmill embed photos --model mobilenet.pt --scale 1/127.5 --shift -1    TorchScript");
  app.add_option("--export", options_.export_file,
                 "File for the vectors: .npy, .parquet, .csv, .jsonl, or a folder/ for clip-retrieval")
      ->type_name("FILE");
  AddEmbeddingFlags(app, options_.embedding);
}

}  // namespace

std::optional<std::string> EmbedOptions::Check() const {
  if (!export_file.empty() && !VectorExport::Knows(export_file))
    return "--export takes a file that ends in " + std::string(VectorExport::kNames) + ", not " +
           PrintablePath(export_file);
  return embedding.Check();
}

std::unique_ptr<Command> AddEmbed(CLI::App& app) {
  return std::make_unique<Embed>(app);
}

}  // namespace imgmill
