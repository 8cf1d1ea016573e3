// The embed command: runs the operation, exports what it gave, sums up.
#include "imgmill/commands/embed.h"

#include <CLI/CLI.hpp>

#include "embed_operation.h"
#include "imgmill/base/path_text.h"
#include "vector_export.h"

namespace imgmill {
namespace {

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

  Result<CommandResult> Run(ItemSource& source, const CommandServices& services) override {
    const SharedOptions& shared = *services.shared;
    Result<std::unique_ptr<Embedder>> embedder = MakeEmbedder(options_.embedding, services);
    if (!embedder) return embedder.error();
    Result<VectorStore> store = OpenVectorStore(*services.catalog, (*embedder)->kind());
    if (!store) return store.error();
    std::unique_ptr<VectorExport> exported;
    if (!options_.export_file.empty() && shared.dry_run) {
      const Status may = VectorExport::MayCreate(options_.export_file, *services.catalog, shared.force);
      if (!may) return may.error();
    } else if (!options_.export_file.empty()) {
      Result<std::unique_ptr<VectorExport>> created =
          VectorExport::Create(options_.export_file, *services.catalog, shared.force);
      if (!created) return created.error();
      exported = *std::move(created);
    }

    std::vector<ListedFile> embedded;
    Status status;  // of the export: the vectors themselves are safe in the catalog
    std::vector<float> vector;
    const auto take = [&](EmbeddedImage& image) {
      if (exported && status) {
        vector.resize(static_cast<size_t>(image.vectors->dimension()));
        status = image.vectors->Read(image.place, vector);
        if (status) status = exported->Add(image.file.path, image.content.Hex(), vector);
      }
      embedded.push_back(std::move(image.file));
    };
    EmbedOperation operation(**embedder, *store, nullptr, services, /*needs_notes=*/false, take);
    EngineOptions options = services.engine_options();
    options.workers = EmbeddingWorkers(options_.embedding, services);
    Result<CommandResult> run = RunEngine(source, operation, operation.log(), options, services.engine());
    if (!run) return run;
    if (!status) return status.error();
    CommandResult result = *std::move(run);
    result.kept = std::move(embedded);
    const RunCounts& counts = result.counts;
    if (counts.interrupted) return result;

    (*embedder)->Describe(result.details);
    const int dimension = store->file ? store->file->dimension() : 0;
    result.details["dimension"] = dimension;
    result.summary = std::to_string(result.kept.size()) + " vectors of " + std::to_string(dimension);
    if (counts.recalled > 0) result.summary += ", " + std::to_string(counts.recalled) + " known before";
    if (exported) {
      if (Status committed = exported->Commit(); !committed) return committed.error();
      nlohmann::ordered_json files = nlohmann::ordered_json::array();
      for (const std::string& file : exported->files()) {
        files.push_back(PrintablePath(file));
        result.text += PrintablePath(file) + "\n";
      }
      result.details["exported"] = std::move(files);
    }
    return result;
  }

 private:
  EmbedOptions options_;
};

Embed::Embed(CLI::App& app) {
  app.footer(
      "Example:\n"
      "  imgmill embed photos --export vectors.npy    the built-in descriptor: how a picture looks\n"
      "  imgmill embed photos --model mobilenet.pt --scale 1/127.5 --shift -1");
  app.add_option("--export", options_.export_file, "File for the vectors: .npy, .csv or .jsonl")
      ->type_name("FILE");
  AddEmbeddingFlags(app, options_.embedding);
}

}  // namespace

std::optional<std::string> EmbedOptions::Check() const {
  if (!export_file.empty() && !VectorExport::Knows(export_file))
    return "--export takes a file that ends in .npy, .csv or .jsonl, not " + PrintablePath(export_file);
  return embedding.Check();
}

std::unique_ptr<Command> AddEmbed(CLI::App& app) {
  return std::make_unique<Embed>(app);
}

}  // namespace imgmill
