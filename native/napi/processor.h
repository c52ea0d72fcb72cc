// Whether the processor has the instructions that the whole core is compiled for.
#pragma once

namespace nigh::binding {

/// Always true where the core needs nothing beyond what every processor of the platform has.
bool processor_suffices() noexcept;

}  // namespace nigh::binding
