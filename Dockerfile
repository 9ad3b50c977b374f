# docker build -t tooln1 .                                 CPU
# docker build -t tooln1:cuda --build-arg TORCH_BACKEND=cuda .      CUDA (run with --gpus all; libtorch brings its CUDA libraries)
ARG SDK_IMAGE=mcr.microsoft.com/dotnet/sdk:10.0
ARG RUNTIME_IMAGE=mcr.microsoft.com/dotnet/aspnet:10.0

FROM ${SDK_IMAGE} AS build
ARG TORCH_BACKEND=cpu
WORKDIR /source
COPY . .
RUN dotnet publish src/ToolN1.Api -c Release -o /app -p:TorchBackend=${TORCH_BACKEND} \
 && dotnet publish src/ToolN1.Cli -c Release -o /app -p:TorchBackend=${TORCH_BACKEND}

FROM ${RUNTIME_IMAGE}
WORKDIR /app
COPY --from=build /app .
ENV ASPNETCORE_URLS=http://0.0.0.0:8080 \
    DOTNET_EnableDiagnostics=0
EXPOSE 8080
# The aspnet image's own unprivileged user.
USER 1654
ENTRYPOINT ["dotnet", "ToolN1.Api.dll"]
